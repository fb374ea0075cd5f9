"""Passkeys: what is refused. tests/browser/test_factors.py uses real ones."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.test import Client

from notifications import permissions
from notifications.access.proofs import use_passkey
from notifications.models import AuditEntry, LoginSession
from tests.factories import PASSWORD, code_of, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LOGIN = "/login/passkey/"
GARBAGE = [
    "",
    "no JSON",
    "[" * 20_000,
    "1" * 5_000,
    "null",
    "[]",
    "[[]]",
    '"text"',
    "{}",
    '{"id": 1}',
    '{"response": null}',
    '{"response": []}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
    json.dumps(
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {
                "clientDataJSON": "e30",
                "authenticatorData": "AA",
                "signature": "AA",
                "userHandle": "zzzzzzzzzzzz",
            },
        }
    ),
]


def make_passkey(person) -> Authenticator:
    data = {"name": "Phone", "credential": {}}
    return Authenticator.objects.create(user=person, type="webauthn", data=data)


@pytest.mark.parametrize("written", GARBAGE)
def test_what_is_no_passkey_logs_nobody_in(settings, written):
    settings.PASSKEY_LOGIN = "on"
    client = Client()
    client.get(LOGIN, headers={"Accept": "application/json"})

    answer = client.post(LOGIN, {"credential": written})

    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not LoginSession.objects.exists()
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.actor) == ("login_refused", "(unknown name)")


def test_the_options_name_no_passkey_and_demand_the_pin(settings):
    settings.PASSKEY_LOGIN = "on"

    answer = Client().get(LOGIN, headers={"Accept": "application/json"}).json()

    options = answer["request_options"]["publicKey"]
    assert options["rpId"] == "testserver"
    assert options["userVerification"] == "required"
    assert not options.get("allowCredentials")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_is_off_unless_the_setting_permits_it(method):
    assert Client().generic(method, LOGIN).status_code == 404
    assert "passkey" not in Client().get("/login/").text


@pytest.mark.parametrize("written", ["[" * 20_000, "1" * 5_000])
def test_an_unreadable_new_passkey_is_refused(settings, written):
    settings.SECOND_FACTOR = "everybody"
    make_user()
    client = Client()
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})

    answer = client.post("/account/second-factor/passkey/", {"credential": written})

    assert answer.status_code == 200
    assert answer.context["form"].has_error("credential")
    assert written not in answer.text


def test_an_answer_counts_once():
    passkey = make_passkey(make_user())
    use_passkey(passkey, "signature")

    with pytest.raises(ValidationError):
        use_passkey(passkey, "signature")
    use_passkey(passkey, "another signature")


@pytest.mark.parametrize("written", GARBAGE[-5:])
def test_after_five_wrong_passkeys_the_password_is_asked_for_again(written):
    passkey = make_passkey(make_user(permissions.AUDITOR))
    client = Client()
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    # Its key is not readable: the options of the page must not need it.
    Authenticator.objects.filter(pk=passkey.pk).update(type="totp", data={"secret": ""})

    answers = [
        client.post("/login/code/", {"credential": written}).status_code
        for _n in range(5)
    ]

    assert answers == [200] * 4 + [302]
    words = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert words == ["logged_in"] + ["factor_refused"] * 5


def test_where_it_is_the_only_login_a_password_is_for_the_first_one(settings):
    settings.PASSKEY_LOGIN = "only"
    person = make_user(permissions.AUDITOR)
    client = Client()
    fields = {"login": "lin.mei", "password": PASSWORD}

    assert client.post("/login/", fields)["Location"] == "/login/set-up/"
    assert client.get("/account/").status_code == 302
    page = client.get("/login/set-up/").text
    assert "/account/second-factor/passkey/" in page
    assert "/account/second-factor/app/" not in page
    app = client.get("/account/second-factor/app/").context["form"].secret
    code = {"code": code_of(app)}
    assert client.post("/account/second-factor/app/", code).status_code == 200
    assert client.get("/account/").status_code == 302
    make_passkey(person)
    refused = Client().post("/login/", fields)

    assert refused.context["form"].non_field_errors() == [
        "Log in with your passkey instead."
    ]
    assert AuditEntry.objects.latest("pk").action == "login_refused"
