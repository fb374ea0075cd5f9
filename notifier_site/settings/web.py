"""The web application: apps, middleware, templates, language, static files."""

from typing import Any

from .environment import BASE_DIR, STATE_DIR, env

# `manage.py check` reports an empty key (notifier.E001); Django refuses to sign with it.
SECRET_KEY = env.text("SECRET_KEY", default="")
# Previous keys: their signatures remain valid, so that sessions survive a new key.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_PREVIOUS", default=[])
DEBUG = env.boolean("DEBUG", default=False)
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "notifications.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "crispy_forms",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "notifications",
]

MIDDLEWARE = [
    "notifications.console.middleware.SecurityHeadersMiddleware",
    "notifications.console.origin.OriginMiddleware",
    "notifications.console.middleware.RequestLogMiddleware",
    "notifications.console.middleware.RedirectLoopMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "notifications.console.middleware.AllowedMethodsMiddleware",
    "notifications.console.middleware.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "notifications.access.middleware.LoginRuleMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "notifications.access.middleware.ActivityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
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
                "notifications.console.context_processors.console",
            ],
        },
    },
]

CRISPY_ALLOWED_TEMPLATE_PACKS = ["notifier"]
CRISPY_TEMPLATE_PACK = "notifier"
CRISPY_FAIL_SILENTLY = False

# In the session, so that messages need no cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# A selection of up to 100,000 groups is one field with ids of at most 49 bytes; a pasted
# list of groups for an import, up to 10 MB, is one field as well.
DATA_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024

LANGUAGE_CODE = env.language("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = env.time_zone("TIME_ZONE", default="UTC")
USE_TZ = True
# Explicit, since the catalogue of the app also contains the texts of templates/.
LOCALE_PATHS = [BASE_DIR / "notifications" / "locale"]

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=STATE_DIR / "static")
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
