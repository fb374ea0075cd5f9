"""URLs of the pages in this folder."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from notifications.access.views import account, login, second_factor, sso


def urls(protected: Callable[..., Any]) -> list[URLPattern]:
    """``protected`` wraps a view for logged-in staff (``AdminSite.admin_view``)."""
    return [
        path("sso/", sso.Begin.as_view(), name="sso_begin"),
        path("sso/callback/", sso.Callback.as_view(), name="sso_callback"),
        # Not protected: opened before the login is complete.
        path("login/code/", login.code, name="login_code"),
        path("logout/", login.log_out, name="logout"),
        path(
            "account/second-factor/", second_factor.second_factor, name="second_factor"
        ),
        path(
            "account/second-factor/set-up/",
            second_factor.setup,
            name="second_factor_set_up",
        ),
        path(
            "account/second-factor/recovery-codes/",
            second_factor.recovery_codes,
            name="second_factor_codes",
        ),
        path(
            "account/second-factor/remove/",
            second_factor.remove,
            name="second_factor_remove",
        ),
        path(
            "auth/user/<int:pk>/second-factor/",
            protected(second_factor.reset_for_user),
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
