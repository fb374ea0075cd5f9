"""Logs, and reports of errors."""

from .environment import env

DEFAULT_EXCEPTION_REPORTER_FILTER = "notifier_site.reporting.ReporterFilter"

LOG_FORMAT = env.choice("LOG_FORMAT", default="plain", of=["plain", "json"])
LOG_LEVEL = env.choice(
    "LOG_LEVEL", default="INFO", of=["DEBUG", "INFO", "WARNING", "ERROR"]
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "notifications.logs.PlainLines"},
        "json": {"()": "notifications.logs.JsonLines"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # A page that is refused or missing is no fault of the server: no traceback.
    # Logins, right and wrong, are in the audit trail.
    "loggers": {
        "django.request": {"level": "ERROR"},
        # A list that is asked for more than it has filters: the line of the request.
        "django.security.DisallowedModelAdminLookup": {"level": "CRITICAL"},
        "axes": {"level": "WARNING"},
    },
}
