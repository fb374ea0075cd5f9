"""The form of the login page and the forms that set a password."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.services import logins


class LoginForm(AdminAuthenticationForm):
    """One sentence for a wrong name, a wrong password and a login that is off."""

    error_messages = AdminAuthenticationForm.error_messages | {
        "invalid_login": _("Username or password is wrong. Capital letters count.")
    }

    def confirm_login_allowed(self, user: User) -> None:
        """Also for a right password of somebody who is not let in (not "staff")."""
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            logins.record_refused_login({"username": user.get_username()})
            raise


class NewPasswordForm(AdminPasswordChangeForm):
    """For somebody else. Everybody here logs in with a password: no other choice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True

    def clean(self) -> dict[str, Any] | None:
        if hasattr(self.user, "outside_login"):
            raise ValidationError(
                _("This person logs in by single sign-on and has no password here.")
            )
        return super().clean()
