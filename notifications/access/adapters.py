"""Adapters of django-allauth: how the console departs from its defaults."""

import base64
import logging
from typing import Any, NoReturn

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from notifications import audit_log
from notifications.access.queries import SSO_BACKEND, has_factor
from notifications.access.services import logins, sso_accounts
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused

logger = logging.getLogger(__name__)

PASSWORD_BACKEND = "notifications.access.backends.RoleBackend"  # noqa: S105  a path


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _(
            "Username or password is wrong. Capital letters count."
        ),
        "incorrect_password": _("This is not your password. Capital letters count."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return [
            "allauth.mfa.stages.AuthenticateStage",
            "notifications.access.stages.SetUpStage",
        ]

    def login(self, request: HttpRequest, user: User) -> None:
        if not hasattr(user, "backend"):
            user.backend = PASSWORD_BACKEND  # type: ignore[attr-defined]  # as Django does
        super().login(request, user)

    def pre_login(
        self, request: HttpRequest, user: Any, **login: Any
    ) -> HttpResponse | None:
        """Refuse a passkey of a person who may not log in; passwords were refused."""
        if user.is_active and user.is_staff:
            return None
        logins.record_refused_login({"username": user.get_username()})
        return redirect("account_login")

    def is_safe_url(self, url: str) -> bool:
        """Whether a login may lead to the URL: only on this host."""
        request = context.request
        return url_has_allowed_host_and_scheme(
            url, {request.get_host()}, require_https=request.is_secure()
        )

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The password or a passkey, else single sign-on; see ``has_recent_proof``."""
        methods = []
        if user.has_usable_password():
            methods.append(("reauthenticate", "account_reauthenticate"))
        if has_factor(user, [Authenticator.Type.WEBAUTHN]):
            methods.append(("passkey", "mfa_reauthenticate_webauthn"))
        if not methods:  # the page leads to the provider
            methods.append(("sso", "account_reauthenticate"))
        return [
            {"id": word, "description": word, "url": reverse(name)}
            for word, name in methods
        ]

    def get_client_ip(self, request: HttpRequest) -> str:
        origin = audit_log.current_origin()
        return (origin and origin.address) or "::"

    def is_ajax(self, request: HttpRequest) -> bool:
        """Only the options of a login with a passkey are requested by a script."""
        is_passkey_login = request.path == reverse("mfa_login_webauthn")
        return is_passkey_login and super().is_ajax(request)

    def add_message(
        self, request: HttpRequest, level: int, *args: Any, **kwargs: Any
    ) -> None:
        """Omit the library's own messages; the views of the console add theirs."""
        if kwargs.get("message"):
            super().add_message(request, level, message=kwargs["message"])


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped
    """Encrypts the secrets of second factors at rest, by a key derived from SECRET_KEY."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("This was not accepted. Try again."),
    }

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Digests of recovery codes are not encrypted: they contain no secret."""
        if encrypted_text.startswith(DIGEST_PREFIX):
            return encrypted_text
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        username: str = user.get_username()
        return username

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        """The name of a passkey until the person changes it."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return str(_("Passkey %(n)d") % {"n": number})

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.MFA_TOTP_ISSUER}


class SsoAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # untyped
    """Accounts come from ``services/sso_accounts.py``; errors become ``SsoRefused``."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or create the person. Raises ``SsoRefused``."""
        person = sso_accounts.log_in(sociallogin.provider.app, sociallogin.claims)
        person.backend = SSO_BACKEND  # type: ignore[attr-defined]  # as Django does
        sociallogin.user = person

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Refuse: a login under way has its state, another one is not of this browser."""
        if "state" not in (extra_context or {}):
            raise SsoRefused(SsoRefusalReason.LOST)
        logger.warning(
            "The identity provider returned the error %.100r instead of a code.",
            request.GET.get("error"),
        )
        raise SsoRefused(SsoRefusalReason.PROVIDER) from exception

    def list_apps(self, request: HttpRequest, **kwargs: Any) -> list[SocialApp]:
        """Only those of the settings: a row in the database adds no provider."""
        return [app for app in super().list_apps(request, **kwargs) if app.pk is None]

    def get_requests_session(self) -> requests.Session:
        """Follows no redirect: requests contain the client's secret."""
        session: requests.Session = super().get_requests_session()
        session.verify = settings.OIDC_VERIFY_SSL
        session.max_redirects = 0
        return session


# Before the digest of a recovery code.
DIGEST_PREFIX = "sha256:"


def _fernet() -> MultiFernet:
    """The first key encrypts; the others decrypt what was encrypted before a rotation."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derivation = HKDF(SHA256(), 32, salt=None, info=b"notifications.second_factor")
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))
