"""Mail: links for new passwords and addresses. Without ``EMAIL_URL`` there is none."""

from .environment import env

_server = env.mail("EMAIL_URL")
MAIL_IS_CONFIGURED = bool(_server)
EMAIL_BACKEND = _server.get(
    "EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_HOST = _server.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _server.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _server.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _server.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _server.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _server.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", default="notifier@localhost")
# Seconds for which a link is valid: to set a password, and to confirm an address.
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
