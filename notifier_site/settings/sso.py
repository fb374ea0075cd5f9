"""Single sign-on by OpenID Connect, at the providers that ``OIDC_PROVIDERS`` names."""

import ssl
from typing import Any

from .access import AUTHENTICATION_BACKENDS
from .environment import env


def _provider(name: str) -> dict[str, Any]:
    """A provider in the format of django-allauth, with its roles in ``settings``."""
    prefix = f"OIDC_{name.upper()}"
    issuer = env.text(f"{prefix}_ISSUER", default="")
    return {
        "provider_id": name,
        # The label of the button on the login page: Log in with …
        "name": env.text(f"{prefix}_NAME", default="") or name,
        "client_id": env.text(f"{prefix}_CLIENT_ID", default=""),
        "secret": env.secret(f"{prefix}_CLIENT_SECRET"),
        "settings": {
            "server_url": issuer,
            "issuer": issuer,
            "scope": env.text(
                f"{prefix}_SCOPES", default="openid profile email"
            ).split(),
            # The claim whose values assign roles, and the role of each value.
            "roles_claim": env.text(f"{prefix}_ROLES_CLAIM", default="groups"),
            "roles": env.pairs(f"{prefix}_ROLES"),
            # All claims come from the signed ID token.
            "fetch_userinfo": False,
            "oauth_pkce_enabled": True,
        },
    }


SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "provider_class": "notifications.access.sso.OidcProvider",
        "APPS": [_provider(name) for name in env.names("OIDC_PROVIDERS")],
    }
}
SOCIALACCOUNT_ADAPTER = "notifications.access.adapters.SsoAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # the button is a link; a login changes nothing yet
SOCIALACCOUNT_REQUESTS_TIMEOUT = (3.05, 10)  # seconds: connect, read

# The certificates of the machine, as for Tencent; requests would use those of certifi.
_paths = ssl.get_default_verify_paths()
OIDC_VERIFY_SSL = _paths.cafile or _paths.capath or True

# Removing the backend also ends its sessions, which contain the name of this class.
if SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]:
    AUTHENTICATION_BACKENDS.append("notifications.access.backends.SsoBackend")
