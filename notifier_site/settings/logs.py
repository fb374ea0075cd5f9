"""Logs, error reports and monitoring."""

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
        "plain": {"()": "notifications.logs.PlainFormatter"},
        "json": {"()": "notifications.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # A refused or missing page is no error of the server: no traceback.
    # The audit trail records logins and refused logins.
    "loggers": {
        "django.request": {"level": "ERROR"},
        # A list with an unknown filter: the request log is enough.
        "django.security.DisallowedModelAdminLookup": {"level": "CRITICAL"},
        "axes": {"level": "ERROR"},
    },
}

# Requests for /metrics send it as a Bearer token; empty disables the page.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
# Megabytes that must be free on the disks with the application's data.
DISK_FLOOR_MB = env.integer("DISK_FLOOR_MB", default=500)
