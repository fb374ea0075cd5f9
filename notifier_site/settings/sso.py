"""Single sign-on by OpenID Connect; off without ``OIDC_CLIENT_ID``.

The names with OP and RP are those of mozilla-django-oidc: the provider, and us.
"""

from .access import AUTHENTICATION_BACKENDS
from .environment import env

OIDC_RP_CLIENT_ID = env.text("OIDC_CLIENT_ID", default="")
OIDC_RP_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", default="")
OIDC_ISSUER = env.text("OIDC_ISSUER", default="")
OIDC_OP_AUTHORIZATION_ENDPOINT = env.text("OIDC_AUTHORIZATION_ENDPOINT", default="")
OIDC_OP_TOKEN_ENDPOINT = env.text("OIDC_TOKEN_ENDPOINT", default="")
OIDC_OP_JWKS_ENDPOINT = env.text("OIDC_JWKS_ENDPOINT", default="")
OIDC_RP_SCOPES = env.text("OIDC_SCOPES", default="openid profile email")
# What the button on the login page says: Log in with …
OIDC_NAME = env.text("OIDC_NAME", default="SSO")
# The claim whose values give roles, and which value gives which role.
OIDC_ROLES_CLAIM = env.text("OIDC_ROLES_CLAIM", default="groups")
OIDC_ROLES = env.pairs("OIDC_ROLES")

# Everything is read from the ID token, which is signed; nothing else is asked for.
OIDC_OP_USER_ENDPOINT = ""
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
OIDC_TIMEOUT = (3.05, 10)  # seconds to a connection, and to an answer
OIDC_AUTHENTICATION_CALLBACK_URL = "admin:sso_callback"

# Switched off again, it also ends the sessions that it began: they name this class.
if OIDC_RP_CLIENT_ID:
    AUTHENTICATION_BACKENDS.append("notifications.access.backends.SsoBackend")
