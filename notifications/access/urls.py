"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.access.views import account, factors, login, sso

# Outside of the admin's namespace: django-allauth knows them by these names. They are not
# protected, since a login is not complete on most of them; each checks its visitor.
LOGIN_URLS = [
    path("login/", login.Login.as_view(), name="account_login"),
    path("login/code/", login.Code.as_view(), name="mfa_authenticate"),
    path("login/passkey/", login.PasskeyLogin.as_view(), name="mfa_login_webauthn"),
    path("login/set-up/", factors.SetUp.as_view(), name="mfa_set_up"),
    path("sso/<slug:provider_id>/", sso.begin, name="openid_connect_login"),
    path(
        "sso/<slug:provider_id>/callback/",
        sso.callback,
        name="openid_connect_callback",
    ),
    path("logout/", login.log_out, name="account_logout"),
    path(
        "account/again/",
        login.Reauthenticate.as_view(),
        name="account_reauthenticate",
    ),
    path(
        "account/again/passkey/",
        login.ReauthenticateByPasskey.as_view(),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "account/second-factor/app/",
        factors.AddApp.as_view(),
        name="mfa_activate_totp",
    ),
    path(
        "account/second-factor/passkey/",
        factors.AddPasskey.as_view(),
        name="mfa_add_webauthn",
    ),
    path(
        "account/second-factor/recovery-codes/",
        factors.NewRecoveryCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/second-factor/<int:pk>/remove/",
        factors.RemoveFactor.as_view(),
        name="mfa_remove",
    ),
]


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path(
            "auth/user/<int:pk>/second-factor/",
            protected(factors.reset_for_user),
            name="auth_user_second_factor",
        ),
        path("account/", protected(account.account), name="account"),
        path("account/end/", protected(account.end_one), name="session_end"),
        path("account/end-others/", protected(account.end_others), name="sessions_end"),
        path(
            "people/<int:pk>/log-out/",
            protected(account.end_all_of),
            name="person_log_out",
        ),
    ]
