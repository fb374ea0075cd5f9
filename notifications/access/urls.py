"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.access.views import (
    account,
    factors,
    login,
    passwords,
    people,
    sso,
)

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
    path("login/forgotten/", passwords.forgotten, name="password_forgotten"),
    path(
        "password/<str:uidb64>/<str:token>/",
        passwords.SetPassword.as_view(),
        name="password_link",
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
            protected(people.reset_factors),
            name="auth_user_second_factor",
        ),
        path("account/", protected(account.account), name="account"),
        path("account/address/", protected(account.address), name="address"),
        path(
            "account/address/<str:token>/",
            protected(account.confirm_address),
            name="address_confirm",
        ),
        path("account/end/", protected(account.end_one), name="session_end"),
        path("account/end-others/", protected(account.end_others), name="sessions_end"),
        path(
            "people/<int:pk>/link/",
            protected(people.password_link),
            name="person_password_link",
        ),
        path(
            "people/requests/<int:pk>/approve/",
            protected(people.approve),
            name="approval_approve",
        ),
        path(
            "people/requests/<int:pk>/cancel/",
            protected(people.cancel),
            name="approval_cancel",
        ),
        path(
            "people/<int:pk>/log-out/",
            protected(account.end_all_of),
            name="person_log_out",
        ),
    ]
