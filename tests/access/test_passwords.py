"""Password validation: long passwords that are not easily guessed."""

import pytest
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from notifications.access.forms import LoginForm
from tests.factories import PASSWORD

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
