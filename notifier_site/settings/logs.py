"""Logs, and reports of errors."""

DEFAULT_EXCEPTION_REPORTER_FILTER = "notifier_site.reporting.ReporterFilter"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # A page that is refused or missing is no fault of the server: no traceback.
    # Logins, right and wrong, are in the audit trail.
    "loggers": {"django.request": {"level": "ERROR"}, "axes": {"level": "WARNING"}},
}
