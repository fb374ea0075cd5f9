"""Forms of the login page, of passwords and of the second factor."""

import unicodedata
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import User
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


CODE = {
    "autocomplete": "one-time-code",
    "autocapitalize": "characters",
    "spellcheck": "false",
    "autofocus": True,
    "class": "code",
}


class AppCodeForm(forms.Form):
    """The first code of an app that is set up."""

    code = forms.CharField(
        label=pgettext_lazy("second factor", "Code"),
        max_length=100,
        widget=forms.TextInput(attrs=CODE | {"inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        """Without spaces and hyphens; in the signs that the code is made of."""
        code = _normalized(self.cleaned_data["code"])
        if not _is_app_code(code):
            raise ValidationError(_("The code has six digits."))
        return code


class CodeForm(AppCodeForm):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label=pgettext_lazy("second factor", "Code"),
        max_length=100,
        # Digits or letters: a keyboard of digits would lack the letters.
        widget=forms.TextInput(attrs=CODE | {"inputmode": "text"}),
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
    """Whoever sits there is asked for the own password again (OWASP ASVS 5.0, 7.5.1).

    A wrong one counts like a wrong login.
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
        credentials: dict[str, Any] = {
            "username": self.person.get_username(),
            "password": password,
        }
        if authenticate(self.request, **credentials) is None:
            raise ValidationError(
                _("This is not your password. Capital letters count.")
            )
        return password


def _normalized(text: str) -> str:
    """Full-width signs, as Chinese keyboards type them, become plain ones."""
    kept = unicodedata.normalize("NFKC", text).upper()
    return "".join(sign for sign in kept if not sign.isspace() and sign != "-")


def _is_app_code(code: str) -> bool:
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def _is_recovery_code(code: str) -> bool:
    return len(code) == RECOVERY_LENGTH and set(code) <= set(ALPHABET)
