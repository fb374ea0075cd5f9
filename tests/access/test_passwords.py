"""Password validation: long passwords that are not easily guessed."""

import pytest
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from notifications.access.forms import (
    LoginForm,
    PasswordAgainForm,
)
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "a long enough pass phrase",
        "3141592653589793",
        "zurückhaltung im garten",
        "四月的风吹过山坡和河流边的村庄",
        "tencent horse battery",
        "Aa1!" * 32,
    ],
)
def test_taken(password):
    validate_password(password, User(username="lin.mei"))


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("fourteen signs", "password_too_short"),
        ("GroupNotifier2026!", "password_of_context_words"),
        ("tencent-tencent-123", "password_of_context_words"),
        ("Welcome to Notifier", "password_of_context_words"),
        ("administrator.wangf", "password_of_context_words"),
        ("manchesterunited", "password_too_common"),
        ("wang.fang.wang.fang", "password_too_similar"),
    ],
)
def test_refused(password, code):
    with pytest.raises(ValidationError) as refused:
        validate_password(password, User(username="wang.fang.wang.fang"))

    assert code in [error.code for error in refused.value.error_list]


@pytest.mark.django_db
def test_a_new_installation_has_no_login():
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_password_is_used_exactly_as_typed(log_in):
    """With spaces around it, capital letters, other alphabets and 200 characters."""
    chosen = "  Zürich Ｗide 村庄 " + "x" * 200 + " End "
    inside = log_in(make_user())
    inside.post(
        "/password_change/",
        {
            "old_password": PASSWORD,
            "new_password1": chosen,
            "new_password2": chosen,
        },
    )
    others = [
        chosen.strip(),
        chosen.rstrip(),
        chosen.lower(),
        chosen[:72],
        chosen[:128],
        chosen[:-1],
        chosen.replace("ü", "u\u0308"),
        chosen.replace("Ｗ", "W"),
    ]

    def status(number: int, password: str) -> int:
        client = Client(REMOTE_ADDR=f"198.51.100.{number}")
        fields = {"login": "lin.mei", "password": password}
        return client.post("/login/", fields).status_code

    assert [status(n, other) for n, other in enumerate(others)] == [200] * len(others)
    assert status(200, chosen) == 302


def test_passwords_are_masked():
    forms = [
        LoginForm(),
        PasswordAgainForm(user=User()),
        AdminPasswordChangeForm(User()),
    ]
    fields = [
        field
        for form in forms
        for name, field in form.fields.items()
        if "password" in name
    ]

    assert [field.widget.input_type for field in fields] == ["password"] * 5


def test_password_managers_know_what_is_asked_for():
    def of(form, name: str) -> dict[str, object]:
        return form.fields[name].widget.attrs

    login, new = LoginForm(), SetPasswordForm(User())

    assert of(login, "login")["autocomplete"] == "username"
    assert of(login, "password")["autocomplete"] == "current-password"
    assert of(new, "new_password1")["autocomplete"] == "new-password"
    assert {"maxlength", "onpaste"} & {
        *of(login, "password"),
        *of(new, "new_password1"),
    } == set()
