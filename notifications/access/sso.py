"""Single sign-on by OpenID Connect: what the console adds to django-allauth.

django-allauth begins the login with a state and PKCE, and exchanges the code for an ID
token. It verifies no signature of a token that it fetched itself, sends no nonce, and
compares the issuer with the provider's own document. This module verifies the whole
token (OpenID Connect Core 1.0, 3.1.3.7), and turns every error into ``SsoRefused``.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import jwt
import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
)
from allauth.socialaccount.providers.openid_connect.views import (
    OpenIDConnectOAuth2Adapter,
)
from django.conf import settings
from django.http import HttpRequest

from notifications.access.services import sso_accounts
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused
from notifications.conf import is_secure_url

logger = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "ES256"]

REQUIRED_CLAIMS = ["iss", "sub", "aud", "exp", "iat", "nonce"]

CLOCK_LEEWAY = 30  # seconds that the clocks may differ

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

Claims = dict[str, Any]

# Raised for an invalid token, and for keys or a document of another form.
INVALID_RESPONSE_ERRORS = (jwt.PyJWTError, LookupError, TypeError, ValueError)


def providers() -> list[dict[str, Any]]:
    """The providers in the order of ``OIDC_PROVIDERS`` (settings/sso.py)."""
    apps: list[dict[str, Any]]
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return apps


@contextmanager
def refusals() -> Iterator[None]:
    """Turn errors of requests to the provider, and of its responses, into ``SsoRefused``."""
    try:
        yield
    except requests.RequestException as error:
        # The text of the error may contain secrets.
        logger.warning(
            "The request to the identity provider failed: %s.", type(error).__name__
        )
        raise SsoRefused(SsoRefusalReason.UNREACHABLE) from None
    except OAuth2Error:
        logger.warning("The identity provider returned no token.")
        raise SsoRefused(SsoRefusalReason.PROVIDER) from None
    except INVALID_RESPONSE_ERRORS as error:
        logger.warning("The response of the identity provider is invalid: %s", error)
        raise SsoRefused(SsoRefusalReason.UNTRUSTED) from None


class OidcAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # untyped
    """The exchange with a provider. Raises ``SsoRefused``."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's document. Raises ``SsoRefused`` if it is of another issuer."""
        with refusals():
            config: dict[str, Any] = super().openid_config
            issuer = self.get_provider().app.settings["issuer"]
            if config["issuer"] != issuer:
                raise ValueError(f"the document is of another issuer than {issuer}")
            for name in ENDPOINTS:
                if not is_secure_url(str(config[name])):
                    raise ValueError(f"{name} is no HTTPS address")
            return config

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str
    ) -> dict[str, Any]:
        self.nonce = _nonce(pkce_code_verifier)
        with refusals():
            data: dict[str, Any] = super().get_access_token_data(
                request, app, client, pkce_code_verifier
            )
            return data

    def complete_login(
        self, request: HttpRequest, app: Any, token: Any, **kwargs: Any
    ) -> SocialLogin:
        with refusals():
            claims = self._claims(app, kwargs["response"]["id_token"])
        provider = self.get_provider()
        # Before django-allauth looks for it in the database.
        uid = sso_accounts.uid_of(app, claims)
        login = SocialLogin(
            provider=provider, account=SocialAccount(provider=provider.sub_id, uid=uid)
        )
        login.claims = claims
        return login

    def _claims(self, app: Any, token: str) -> Claims:
        """Return the claims of an ID token that the provider issued for this login."""
        key_id = jwt.get_unverified_header(token)["kid"]
        with get_adapter().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
        response.raise_for_status()
        (key,) = (key for key in response.json()["keys"] if key["kid"] == key_id)
        claims: Claims = jwt.decode(
            token,
            jwt.PyJWK(key),
            algorithms=ALGORITHMS,
            issuer=app.settings["issuer"],
            audience=app.client_id,
            leeway=CLOCK_LEEWAY,
            options={"require": REQUIRED_CLAIMS},
        )
        audience = claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        party = claims.get("azp", None if is_shared else app.client_id)
        if party != app.client_id:
            raise ValueError("the token was issued to another application (azp)")
        if claims["nonce"] != self.nonce:
            raise ValueError("the token was issued for another login (nonce)")
        return claims


class OidcProvider(OpenIDConnectProvider):  # type: ignore[misc]  # untyped
    oauth2_adapter_class = OidcAdapter

    def get_pkce_params(self) -> dict[str, str]:
        """Add the nonce, which only the browser that begins the login can prove."""
        params: dict[str, str] = super().get_pkce_params()
        return params | {"nonce": _nonce(params["code_verifier"])}

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        """The configured scope: a link does not change it."""
        scope: list[str] = self.get_scope()
        return scope

    def get_auth_params_from_request(
        self, request: HttpRequest, action: str
    ) -> dict[str, str]:
        params: dict[str, str] = self.get_auth_params()
        # A person who is logged in is asked again, before a sensitive action.
        return params | {"prompt": "login"} if request.user.is_authenticated else params

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """A link begins a login only, and connects no other account."""
        kwargs: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        return kwargs | {"process": "login"}


def _nonce(code_verifier: str) -> str:
    """The digest of the secret of a login, which the token has to contain."""
    return sha256(f"nonce {code_verifier}".encode()).hexdigest()
