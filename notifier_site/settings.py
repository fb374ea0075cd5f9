"""Settings, all from environment variables or a ``.env`` file beside ``manage.py``.

README.md has the table. A secret ``NAME`` may instead be given as ``NAME_FILE``, the
path of a file that holds it (Docker and systemd hand over secrets that way). What
cannot be read is reported by ``manage.py check``; see ``variables.py``.
"""

from pathlib import Path
from typing import Any

from .variables import NO_DATABASE, Variables

BASE_DIR = Path(__file__).resolve().parent.parent

env = Variables()
env.read_env(BASE_DIR / ".env")

# --- the web application ---------------------------------------------------------

# Empty is reported by `manage.py check` (notifier.E001); Django refuses to sign with it.
SECRET_KEY = env.text("SECRET_KEY", default="")
DEBUG = env.switch("DEBUG", default=False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "notifications.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "crispy_forms",
    "notifications",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "notifications.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "notifications.middleware.OriginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "notifier_site.urls"
WSGI_APPLICATION = "notifier_site.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "notifications.context_processors.console",
            ],
        },
    },
]

CRISPY_ALLOWED_TEMPLATE_PACKS = ["notifier"]
CRISPY_TEMPLATE_PACK = "notifier"
CRISPY_FAIL_SILENTLY = False

# A choice of up to 100,000 groups arrives as one field of ids, at most 49 bytes each; a
# list of groups that is pasted for an import, up to 10 MB, as one field as well.
DATA_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024

AUTHENTICATION_BACKENDS = ["notifications.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- HTTPS ------------------------------------------------------------------------

USE_HTTPS = env.switch("USE_HTTPS", default=True)
SECURE_SSL_REDIRECT = USE_HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if USE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = USE_HTTPS
SECURE_HSTS_PRELOAD = USE_HTTPS
SESSION_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "notifications.views.refused.stale"
LANGUAGE_COOKIE_SECURE = USE_HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.switch("BEHIND_TLS_PROXY", default=False):
    # Only where every request passes a proxy that sets this header itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# So many proxies append to X-Forwarded-For; their word about an address is recorded.
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", default=0)

# --- database ---------------------------------------------------------------------

# What the worker must remember beside the database, and the default database.
STATE_DIR = env.folder("STATE_DIR", default=BASE_DIR / "var")

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(
        "DATABASE_URL", default=f"sqlite:///{STATE_DIR / 'notifier.sqlite3'}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A power cut must not undo a claim: with NORMAL, groups were called twice.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        # Take the write lock at BEGIN, so that two writers wait instead of failing.
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
    }
elif DATABASES["default"] != NO_DATABASE:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- language, time, static files -------------------------------------------------

LANGUAGE_CODE = env.text("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = env.text("TIME_ZONE", default="UTC")
USE_TZ = True
# The templates stand outside the app; their texts are in its catalogue too.
LOCALE_PATHS = [BASE_DIR / "notifications" / "locale"]

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=STATE_DIR / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Tencent IM -------------------------------------------------------------------
# Meaning and limits: notifications/conf.py; what is missing: `manage.py check`.

IM_SDK_APP_ID = env.text("IM_SDK_APP_ID", default="")
IM_ADMIN_ACCOUNT = env.text("IM_ADMIN_ACCOUNT", default="administrator")
IM_SECRET_KEY = env.text("IM_SECRET_KEY", default="")
IM_REGION = env.text("IM_REGION", default="china")
IM_BASE_URL = env.text("IM_BASE_URL", default="")
IM_PROXY_URL = env.text("IM_PROXY_URL", default="")
IM_CA_FILE = env.text("IM_CA_FILE", default="")
IM_CALLS_PER_SECOND = env.number("IM_CALLS_PER_SECOND", default=200)
IM_RECIPIENTS_PER_CALL = env.whole("IM_RECIPIENTS_PER_CALL", default=50)
IM_CONTENT_MAX_BYTES = env.whole("IM_CONTENT_MAX_BYTES", default=8000)
# Calls a day that trial and developer editions may make; 0 = no such limit.
IM_DAILY_QUOTA = env.whole("IM_DAILY_QUOTA", default=0)
# Hours between two syncs of the groups that the worker begins by itself; 0 = none.
IM_SYNC_EVERY_HOURS = env.whole("IM_SYNC_EVERY_HOURS", default=24)
IM_CONNECT_TIMEOUT = env.number("IM_CONNECT_TIMEOUT", default=3.05)
IM_READ_TIMEOUT = env.number("IM_READ_TIMEOUT", default=10)
IM_RETRY_INTERNAL_ERROR = env.switch("IM_RETRY_INTERNAL_ERROR", default=True)

# --- reports of errors, logs ------------------------------------------------------

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
    "loggers": {"django.request": {"level": "ERROR"}},
}

# What could not be read above; notifications/checks.py reports it.
SETTINGS_PROBLEMS = env.problems
