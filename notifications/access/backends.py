"""Authentication backends: permissions of a user, and OpenID Connect single sign-on.

mozilla-django-oidc asks for the token and for the provider's keys, and compares the
nonce. It checks neither issuer nor audience, and its errors would be pages with 500:
both is done here.
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

from notifications.access.services import sso_accounts
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused


class RoleBackend(ModelBackend):
    """Django's own, but with the permissions of a person and of the roles in one query."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj)
        if not hasattr(user_obj, "_perm_cache"):
            held = Permission.objects.filter(
                Q(pk__in=user_obj.user_permissions.values("pk"))
                | Q(group__in=user_obj.groups.values("pk"))
            )
            names = held.order_by().values_list("content_type__app_label", "codename")
            # Where ModelBackend keeps them, too.
            user_obj._perm_cache = {f"{label}.{name}" for label, name in names}
        found: set[str] = user_obj._perm_cache
        return found


logger = logging.getLogger(__name__)


REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]

CLOCKS_DIFFER_BY = 30  # seconds, at most

Claims = dict[str, Any]


# What the library raises for a token, or for keys, that are not as they should be.
UNUSABLE = (SuspiciousOperation, jwt.PyJWTError, LookupError, TypeError, ValueError)


@contextmanager
def _refusals() -> Iterator[None]:
    """Whatever goes wrong with an answer of the provider refuses the login."""
    try:
        yield
    except requests.RequestException as error:
        # Its text may hold more than a log should.
        logger.warning("The provider cannot be asked: %s.", type(error).__name__)
        raise SsoRefused(SsoRefusalReason.UNREACHABLE) from None
    except UNUSABLE as error:
        logger.warning("The answer of the provider is refused: %s", error)
        raise SsoRefused(SsoRefusalReason.UNTRUSTED) from None


class OutsideBackend(RoleBackend, OIDCAuthenticationBackend):  # type: ignore[misc]  # untyped
    # The library's own would let in people who are switched off.
    get_user = ModelBackend.get_user

    def authenticate(
        self, request: HttpRequest | None, *args: Any, **begun: Any
    ) -> User | None:
        """The person whom the callback is about. Raises ``Refused``.

        ``begun`` holds the nonce and the code verifier of that login. ``None`` for
        logins with a password, for which Django asks here, too.
        """
        if not begun.get("nonce") or not begun.get("code_verifier"):
            return None
        return super().authenticate(request, **begun)

    def get_token(self, payload: dict[str, str]) -> dict[str, Any]:
        """What the provider gives for the code. No redirect: the secret is in there."""
        with _refusals():
            response = requests.post(
                settings.OIDC_OP_TOKEN_ENDPOINT,
                data=payload,
                timeout=settings.OIDC_TIMEOUT,
                allow_redirects=False,
            )
            if response.status_code != requests.codes.ok:
                logger.warning("The token endpoint answered %d.", response.status_code)
                raise SsoRefused(SsoRefusalReason.PROVIDER)
            # Of the rest, nothing is used.
            return {"id_token": response.json()["id_token"]}

    def verify_token(self, token: str, **kwargs: Any) -> Claims:
        with _refusals():
            claims: Claims = super().verify_token(token, **kwargs)
            return claims

    def get_payload_data(self, token: str, key: jwt.PyJWK) -> Claims:
        """The claims of an ID token that is the provider's and meant for us.

        OpenID Connect Core 1.0, 3.1.3.7; the nonce is compared by whoever calls.
        """
        claims: Claims = jwt.decode(
            token,
            key,
            algorithms=[settings.OIDC_RP_SIGN_ALGO],
            issuer=settings.OIDC_ISSUER,
            audience=settings.OIDC_RP_CLIENT_ID,
            leeway=CLOCKS_DIFFER_BY,
            options={"require": REQUIRED},
        )
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        party = claims.get("azp", None if several else settings.OIDC_RP_CLIENT_ID)
        if party != settings.OIDC_RP_CLIENT_ID:
            raise SuspiciousOperation("It was issued to another application (azp).")
        return claims

    def get_or_create_user(
        self, access_token: None, id_token: str, payload: Claims
    ) -> User:
        return sso_accounts.log_in(settings.OIDC_ISSUER, payload)
