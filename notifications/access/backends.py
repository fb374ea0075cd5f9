"""Authentication backends: permissions of a user, and OpenID Connect single sign-on.

mozilla-django-oidc requests the token and the provider's keys, and compares the nonce.
It checks neither issuer nor audience, and its errors would become responses with status
500. This module checks both claims and turns the errors into refused logins.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User
from django.core.exceptions import SuspiciousOperation
from django.db.models import Q
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from notifications.access.lockout import forget_wrong_logins
from notifications.access.services import sso_accounts
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused


class RoleBackend(ModelBackend):
    """Verifies passwords of staff, and reads the permissions of a user in one query."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> Any:
        person = super().authenticate(request, username, password, **credentials)
        if isinstance(person, User):
            forget_wrong_logins(request, person.get_username())
        return person

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(super().user_can_authenticate(user) and user.is_staff)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj)
        if not hasattr(user_obj, "_perm_cache"):
            granted = Permission.objects.filter(
                Q(pk__in=user_obj.user_permissions.values("pk"))
                | Q(group__in=user_obj.groups.values("pk"))
            )
            names = granted.order_by().values_list(
                "content_type__app_label", "codename"
            )
            # ModelBackend caches them under the same name.
            user_obj._perm_cache = {f"{label}.{name}" for label, name in names}
        cached: set[str] = user_obj._perm_cache
        return cached


logger = logging.getLogger(__name__)


REQUIRED_CLAIMS = ["iss", "sub", "aud", "exp", "iat", "nonce"]

CLOCK_LEEWAY = 30  # seconds that the clocks may differ

Claims = dict[str, Any]


# Raised by the library for an invalid token or invalid keys.
INVALID_RESPONSE_ERRORS = (
    SuspiciousOperation,
    jwt.PyJWTError,
    LookupError,
    TypeError,
    ValueError,
)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn errors of the provider's responses into ``SsoRefused``."""
    try:
        yield
    except requests.RequestException as error:
        # The text of the error may contain secrets.
        logger.warning(
            "The request to the identity provider failed: %s.", type(error).__name__
        )
        raise SsoRefused(SsoRefusalReason.UNREACHABLE) from None
    except INVALID_RESPONSE_ERRORS as error:
        logger.warning("The response of the identity provider is invalid: %s", error)
        raise SsoRefused(SsoRefusalReason.UNTRUSTED) from None


class SsoBackend(RoleBackend, OIDCAuthenticationBackend):  # type: ignore[misc]  # untyped
    # The library's method would admit deactivated people.
    get_user = RoleBackend.get_user

    def authenticate(
        self, request: HttpRequest | None, *args: Any, **login: Any
    ) -> User | None:
        """Return the person of the callback. Raises ``SsoRefused``.

        ``login`` holds the nonce and the code verifier. Returns ``None`` for logins with
        a password, for which Django calls every backend.
        """
        if not login.get("nonce") or not login.get("code_verifier"):
            return None
        person: User | None = OIDCAuthenticationBackend.authenticate(
            self, request, **login
        )
        return person

    def get_token(self, payload: dict[str, str]) -> dict[str, Any]:
        """Exchange the code for a token. Follows no redirect: the request holds the secret."""
        with _refusals():
            response = requests.post(
                settings.OIDC_OP_TOKEN_ENDPOINT,
                data=payload,
                timeout=settings.OIDC_TIMEOUT,
                verify=settings.OIDC_VERIFY_SSL,
                allow_redirects=False,
            )
            if response.status_code != requests.codes.ok:
                logger.warning(
                    "The token endpoint responded with status %d.", response.status_code
                )
                raise SsoRefused(SsoRefusalReason.PROVIDER)
            # Other fields are not used.
            return {"id_token": response.json()["id_token"]}

    def verify_token(self, token: str, **kwargs: Any) -> Claims:
        with _refusals():
            claims: Claims = super().verify_token(token, **kwargs)
            return claims

    def get_payload_data(self, token: str, key: jwt.PyJWK) -> Claims:
        """Return the claims of an ID token that the provider issued to this application.

        OpenID Connect Core 1.0, 3.1.3.7; the caller compares the nonce.
        """
        claims: Claims = jwt.decode(
            token,
            key,
            algorithms=[settings.OIDC_RP_SIGN_ALGO],
            issuer=settings.OIDC_ISSUER,
            audience=settings.OIDC_RP_CLIENT_ID,
            leeway=CLOCK_LEEWAY,
            options={"require": REQUIRED_CLAIMS},
        )
        audience = claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        party = claims.get("azp", None if is_shared else settings.OIDC_RP_CLIENT_ID)
        if party != settings.OIDC_RP_CLIENT_ID:
            raise SuspiciousOperation(
                "The token was issued to another application (azp)."
            )
        return claims

    def get_or_create_user(
        self, access_token: None, id_token: str, payload: Claims
    ) -> User:
        return sso_accounts.log_in(settings.OIDC_ISSUER, payload)
