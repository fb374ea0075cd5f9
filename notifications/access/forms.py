"""Forms of the login page, of passwords and of the second factor."""

import unicodedata
from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm, UserChangeForm, UsernameField
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from notifications.access.proofs import (
    ALPHABET,
    RECOVERY_LENGTH,
    CodeResult,
    record_wrong_passkey,
    use_passkey,
    verify_code,
)
from notifications.access.queries import has_factor
from notifications.access.services import logins
from notifications.access.usernames import validate_username
from notifications.ui.made_from import MadeFromForm

DIGITS = 6

PASSKEYS = [Authenticator.Type.WEBAUTHN]


class LoginForm(account_forms.LoginForm):  # type: ignore[misc]  # untyped
    """One error message for a wrong name, a wrong password and a deactivated account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username")
        self.fields["login"].widget.attrs |= {"autofocus": True, "placeholder": ""}
        self.fields["password"].label = _("Password")
        self.fields["password"].widget.attrs["placeholder"] = ""

    def clean(self) -> Any:
        data = super().clean()
        person = self.user
        if settings.PASSKEY_LOGIN == "only" and person and has_factor(person, PASSKEYS):
            logins.record_refused_login({"username": person.get_username()})
            raise ValidationError(_("Log in with your passkey instead."))
        return data


class PasswordAgainForm(account_forms.ReauthenticateForm):  # type: ignore[misc]  # untyped
    """Ask the logged-in person for the password again (OWASP ASVS 5.0, 7.5.1).

    A wrong password counts as a wrong login.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Your password")
        self.fields["password"].widget.attrs |= {"autofocus": True, "placeholder": ""}


class AddressForm(forms.Form):
    """An address of mail."""

    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class _ChecksUsername(forms.ModelForm):
    """Refuses a new username that looks like that of another person."""

    instance: User

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if name != self.instance.username or self.instance.pk is None:
            validate_username(name, person=self.instance.pk)
        return name


class PersonForm(MadeFromForm, _ChecksUsername, UserChangeForm):
    """A person and the roles; an older form does not restore rights taken since."""


class NewPersonForm(_ChecksUsername):
    """A new person, who sets the password by a link."""

    class Meta:
        model = User
        fields = ("username", "email", "first_name", "last_name", "groups")
        field_classes = {"username": UsernameField}


class OwnPasswordForm(SetPasswordForm):
    """A password that a person sets by a link. The validators' own texts are a list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = _(
            "15 or more characters. Not a common password, and none that resembles your "
            "name or this product."
        )
        self.fields["new_password2"].help_text = ""


class RoleForm(MadeFromForm, forms.ModelForm):
    """A role and its permissions."""

    class Meta:
        model = Group
        fields = ("name", "permissions")


WRONG_CODE = _(
    "This code is wrong or was used before. The app shows another one every 30 seconds."
)

CODE_ATTRS = {
    "autocomplete": "one-time-code",
    "autocapitalize": "characters",
    "spellcheck": "false",
    "autofocus": True,
    "class": "code",
}


class AppCodeForm(ActivateTOTPForm):  # type: ignore[misc]  # untyped
    """The first code of an authenticator app during its setup."""

    code = forms.CharField(
        label=pgettext_lazy("second factor", "Code"),
        max_length=100,
        widget=forms.TextInput(attrs=CODE_ATTRS | {"inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        self.cleaned_data["code"] = _normalized(self.cleaned_data["code"])
        if not _is_app_code(self.cleaned_data["code"]):
            raise ValidationError(_("The code has six digits."))
        try:
            code: str = super().clean_code()
        except ValidationError:
            raise ValidationError(WRONG_CODE) from None
        return code


class CodeForm(AuthenticateForm):  # type: ignore[misc]  # untyped
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
    result = CodeResult()

    def clean_code(self) -> str:
        code = _normalized(self.cleaned_data["code"])
        if not _is_app_code(code) and not _is_recovery_code(code):
            raise ValidationError(
                _("A code has six digits, a recovery code 25 letters and digits.")
            )
        self.result = verify_code(self.user, code)
        if self.result.wait:
            raise ValidationError(_wait_message(self.result.wait))
        if self.result.authenticator is None:
            raise ValidationError(WRONG_CODE, code="wrong")
        self.authenticator = self.result.authenticator
        return code


class CredentialField(forms.JSONField):
    """The answer of a passkey. What the decoder refuses is invalid, and not shown again."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):  # nested too deep; a number too long
            raise ValidationError(self.error_messages["invalid"]) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial


class _UsesPasskey(forms.Form):
    """Accepts each answer of a passkey once, and records a wrong one."""

    credential = CredentialField()
    user: Any

    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]
        try:
            passkey: Authenticator = super().clean_credential()  # type: ignore[misc]  # of the form
            use_passkey(passkey, credential["response"]["signature"])
        except (AttributeError, LookupError, TypeError, ValueError, ValidationError):
            record_wrong_passkey(self.user)
            raise ValidationError(_("This passkey was not accepted.")) from None
        return passkey


class UsePasskeyForm(_UsesPasskey, AuthenticateWebAuthnForm):  # type: ignore[misc]  # untyped
    """The passkey as a second factor."""


class PasskeyAgainForm(_UsesPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # untyped
    """The passkey before a sensitive action."""


class PasskeyLoginForm(_UsesPasskey, LoginWebAuthnForm):  # type: ignore[misc]  # untyped
    """The passkey instead of name and password."""


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # untyped
    """A new passkey. The browser's answer is in ``credential``."""

    credential = CredentialField()
    name = forms.CharField(
        label=_("Name of this passkey"),
        max_length=100,
        required=False,
        help_text=_("By which you recognize it later, such as “Phone”."),
    )


def _wait_message(seconds: int) -> str:
    if seconds < 100:
        return ngettext(
            "After wrong codes, wait: try again in %(n)s second.",
            "After wrong codes, wait: try again in %(n)s seconds.",
            seconds,
        ) % {"n": seconds}
    minutes = -(-seconds // 60)
    return ngettext(
        "After wrong codes, wait: try again in %(n)s minute.",
        "After wrong codes, wait: try again in %(n)s minutes.",
        minutes,
    ) % {"n": f"{minutes:,}"}


def _normalized(text: str) -> str:
    """Remove spaces and hyphens; convert full-width characters of Chinese keyboards."""
    code = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in code if not char.isspace() and char != "-")


def _is_app_code(code: str) -> bool:
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def _is_recovery_code(code: str) -> bool:
    return len(code) == RECOVERY_LENGTH and set(code) <= set(ALPHABET)
