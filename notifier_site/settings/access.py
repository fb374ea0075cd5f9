"""Who gets in: passwords, logins, sessions."""

from datetime import timedelta

from .environment import env

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # refuses who is locked out
    "notifications.access.backends.RoleBackend",
]
# Long, and nothing that is guessed first; no rule about kinds of signs, which only makes
# people write passwords down (OWASP ASVS 5.0, 6.2).
validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": f"{validation}.CommonPasswordValidator"},
    {"NAME": "notifications.access.passwords.ContextWordsValidator"},
]
# Who must have a second factor; what each word means: access/queries.py.
SECOND_FACTOR = env.text("SECOND_FACTOR", default="optional")
# How an authenticator app calls what its codes are for.
OTP_TOTP_ISSUER = "Group notifier"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# A name is locked out for the address that guessed, and stays open for all others:
# nobody can lock people out from outside.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Tries meanwhile do not make it longer.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "notifications.console.middleware.lockout_address"
AXES_USERNAME_CALLABLE = "notifications.access.services.logins.username_for_lockout"
AXES_WHITELIST_CALLABLE = "notifications.access.services.logins.is_exempt_from_lockout"
AXES_LOCKOUT_CALLABLE = "notifications.access.views.login.locked"
# Fields of forms and addresses that axes must not store; passwords never are.
AXES_SENSITIVE_PARAMETERS = [
    *("username", "csrfmiddlewaretoken", "next", "code", "state"),
    *("old_password", "new_password1", "new_password2"),
]
# The audit trail has the logins.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# A session ends so long after the login, and so long after the last click; its cookie
# with the browser.
SESSION_ENGINE = "notifications.access.session_store"
SESSION_HOURS = env.whole("SESSION_HOURS", default=8)
SESSION_IDLE_MINUTES = env.whole("SESSION_IDLE_MINUTES", default=30)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
