"""Single sign-on by OpenID Connect; off without ``OIDC_CLIENT_ID``.

The prefixes are those of mozilla-django-oidc: OP is the provider, RP this application.
"""

import ssl

from .access import AUTHENTICATION_BACKENDS
from .environment import env

OIDC_RP_CLIENT_ID = env.text("OIDC_CLIENT_ID", default="")
OIDC_RP_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET")
OIDC_ISSUER = env.text("OIDC_ISSUER", default="")
OIDC_OP_AUTHORIZATION_ENDPOINT = env.text("OIDC_AUTHORIZATION_ENDPOINT", default="")
OIDC_OP_TOKEN_ENDPOINT = env.text("OIDC_TOKEN_ENDPOINT", default="")
OIDC_OP_JWKS_ENDPOINT = env.text("OIDC_JWKS_ENDPOINT", default="")
OIDC_RP_SCOPES = env.text("OIDC_SCOPES", default="openid profile email")
# The label of the button on the login page: Log in with …
OIDC_NAME = env.text("OIDC_NAME", default="SSO")
# The claim whose values assign roles, and the role of each value.
OIDC_ROLES_CLAIM = env.text("OIDC_ROLES_CLAIM", default="groups")
OIDC_ROLES = env.pairs("OIDC_ROLES")

# All claims come from the signed ID token; no user info is requested.
OIDC_OP_USER_ENDPOINT = ""
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
# The certificates of the machine, as for Tencent; requests would use those of certifi.
_paths = ssl.get_default_verify_paths()
OIDC_VERIFY_SSL = _paths.cafile or _paths.capath or True
OIDC_TIMEOUT = (3.05, 10)  # seconds: connect, read
OIDC_AUTHENTICATION_CALLBACK_URL = "admin:sso_callback"

# Removing the backend also ends its sessions, which contain the name of this class.
if OIDC_RP_CLIENT_ID:
    AUTHENTICATION_BACKENDS.append("notifications.access.backends.SsoBackend")
