"""Access: passwords, logins, sessions."""

from datetime import timedelta

from .environment import env

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # refuses logins during a lockout
    "notifications.access.backends.RoleBackend",
]
# Long and not easily guessed; no rules about character classes, which only cause people
# to write passwords down (OWASP ASVS 5.0, 6.2).
validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": f"{validation}.CommonPasswordValidator"},
    {"NAME": "notifications.access.passwords.ContextWordsValidator"},
]
# Who must have a second factor; values: access/queries.py.
SECOND_FACTOR = env.text("SECOND_FACTOR", default="optional")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# django-allauth: people are added by administrators, and log in by their username.
ACCOUNT_ADAPTER = "notifications.access.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "notifications.access.forms.LoginForm",
    "reauthenticate": "notifications.access.forms.PasswordAgainForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_SIGNUP_ENABLED = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
# Seconds from the password to the code, and from the last proof to a sensitive action.
ACCOUNT_LOGIN_TIMEOUT = 10 * 60
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Its limits count in the cache, which processes do not share: access/lockout.py counts.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False

MFA_ADAPTER = "notifications.access.adapters.FactorAdapter"
MFA_FORMS = {
    "authenticate": "notifications.access.forms.CodeForm",
    "authenticate_webauthn": "notifications.access.forms.UsePasskeyForm",
    "reauthenticate_webauthn": "notifications.access.forms.PasskeyAgainForm",
    "login_webauthn": "notifications.access.forms.PasskeyLoginForm",
}
# Recovery codes are made by access/factors.py: the database holds only their digests.
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]
# The name of this application in authenticator apps.
MFA_TOTP_ISSUER = "Group notifier"
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds that the clocks may differ
# A passkey also verifies the person, by a PIN or a fingerprint.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_ALLOW_UNVERIFIED_EMAIL = True
# off: a passkey is a second factor; on: it may replace the password; only: it must.
PASSKEY_LOGIN = env.choice("PASSKEY_LOGIN", default="off", of=["off", "on", "only"])

# A lockout applies to a name and an address, so that an attacker cannot lock out people
# at other addresses.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Attempts during a lockout do not extend it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "notifications.console.origin.lockout_address"
AXES_USERNAME_CALLABLE = "notifications.access.lockout.username_for_lockout"
AXES_WHITELIST_CALLABLE = "notifications.access.lockout.is_exempt_from_lockout"
AXES_LOCKOUT_CALLABLE = "notifications.access.views.login.locked"
AXES_HANDLER = "notifications.access.lockout.CountFirstHandler"
# Form fields and parameters that django-axes must not store; it never stores passwords.
AXES_SENSITIVE_PARAMETERS = [
    *("login", "csrfmiddlewaretoken", "next", "code", "state"),
    *("old_password", "new_password1", "new_password2"),
]
# The audit trail records the logins.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# A session ends this long after the login, and this long after the last request; its
# cookie ends with the browser.
SESSION_ENGINE = "notifications.access.session_store"
SESSION_HOURS = env.integer("SESSION_HOURS", default=8)
SESSION_IDLE_MINUTES = env.integer("SESSION_IDLE_MINUTES", default=30)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
