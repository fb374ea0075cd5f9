"""Forms of the login page, of passwords and of the second factor."""

import unicodedata
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.access.services import logins
from notifications.access.services.second_factor import (
    ALPHABET,
    DIGITS,
    RECOVERY_LENGTH,
)
from notifications.ui.made_from import MadeFromForm


class LoginForm(AdminAuthenticationForm):
    """One error message for a wrong name, a wrong password and a deactivated account."""

    error_messages = AdminAuthenticationForm.error_messages | {
        "invalid_login": _("Username or password is wrong. Capital letters count.")
    }

    def confirm_login_allowed(self, user: User) -> None:
        """Record the right password of a person who is not admitted (not "staff")."""
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            logins.record_refused_login({"username": user.get_username()})
            raise


class PersonForm(MadeFromForm, UserChangeForm):
    """A person and the roles; an older form does not restore rights taken since."""


class RoleForm(MadeFromForm, forms.ModelForm):
    """A role and its permissions."""

    class Meta:
        model = Group
        fields = ("name", "permissions")


class NewPasswordForm(AdminPasswordChangeForm):
    """Set the password of another person. Offers no login without a password."""

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


CODE_ATTRS = {
    "autocomplete": "one-time-code",
    "autocapitalize": "characters",
    "spellcheck": "false",
    "autofocus": True,
    "class": "code",
}


class AppCodeForm(forms.Form):
    """The first code of an authenticator app during its setup."""

    code = forms.CharField(
        label=pgettext_lazy("second factor", "Code"),
        max_length=100,
        widget=forms.TextInput(attrs=CODE_ATTRS | {"inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        code = _normalized(self.cleaned_data["code"])
        if not _is_app_code(code):
            raise ValidationError(_("The code has six digits."))
        return code


class CodeForm(AppCodeForm):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label=pgettext_lazy("second factor", "Code"),
        max_length=100,
        # A numeric keyboard would lack the letters of a recovery code.
        widget=forms.TextInput(attrs=CODE_ATTRS | {"inputmode": "text"}),
        help_text=_(
            "Six digits from your authenticator app, or one of your recovery codes."
        ),
    )

    def clean_code(self) -> str:
        code = _normalized(self.cleaned_data["code"])
        if not _is_app_code(code) and not _is_recovery_code(code):
            raise ValidationError(
                _("A code has six digits, a recovery code 25 letters and digits.")
            )
        return code


class PasswordForm(forms.Form):
    """Ask the logged-in person for the password again (OWASP ASVS 5.0, 7.5.1).

    A wrong password counts as a wrong login.
    """

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "autofocus": True}
        ),
    )

    def __init__(self, request: HttpRequest, person: User) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.request = request
        self.person = person

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        username = self.person.get_username()
        if authenticate(self.request, username=username, password=password) is None:
            raise ValidationError(
                _("This is not your password. Capital letters count.")
            )
        return password


def _normalized(text: str) -> str:
    """Remove spaces and hyphens; convert full-width characters of Chinese keyboards."""
    code = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in code if not char.isspace() and char != "-")


def _is_app_code(code: str) -> bool:
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def _is_recovery_code(code: str) -> bool:
    return len(code) == RECOVERY_LENGTH and set(code) <= set(ALPHABET)
