"""Pages of the second factor: one's own, and the reset by an administrator."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client

from notifications import permissions
from notifications.access.factors import make_recovery_codes
from notifications.access.queries import has_factor
from notifications.models import AuditEntry
from tests.factories import PASSWORD, code_of, make_app, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OWN = "/account/second-factor/"
APP = OWN + "app/"
AGAIN = "/account/again/"
NOT_YOURS = {"password": ["This is not your password. Capital letters count."]}


@pytest.fixture
def log_in():
    """Without a recent proof of who it is."""

    def client_of(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return client_of


def prove(client: Client) -> None:
    client.post(AGAIN, {"password": PASSWORD})


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def codes_on(page: str) -> list[str]:
    return re.findall(r'<li class="code">(.*?)</li>', page)


# --- setting up ------------------------------------------------------------------------


def test_setting_it_up_from_the_password_to_the_recovery_codes(log_in):
    client = log_in(make_user(permissions.AUDITOR))

    asked = client.get(APP, follow=True)
    wrong = client.post(f"{AGAIN}?next={APP}", {"password": "wrong"})
    begun = client.post(f"{AGAIN}?next={APP}", {"password": PASSWORD}, follow=True)
    key = begun.context["key"].replace(" ", "")
    odd = client.post(APP, {"code": "12345"})
    typed_wrong = client.post(APP, {"code": code_of(key, steps=5)})
    shown = client.post(APP, {"code": code_of(key)})
    state = client.get("/account/")

    assert asked.request["PATH_INFO"] == AGAIN
    assert wrong.context["form"].errors == NOT_YOURS
    assert key in begun.context["address"]
    assert '<svg width="' in begun.text
    assert "style=" not in begun.context["qr_code"]
    assert odd.context["form"].errors == {"code": ["The code has six digits."]}
    assert typed_wrong.status_code == 200
    assert "This code is wrong" in typed_wrong.text
    assert len(set(codes_on(shown.text))) == 10
    assert "no-store" in shown["Cache-Control"]
    assert "10 recovery codes are left." in state.text
    assert begun.context["key"] not in state.text
    assert actions() == ["login_refused", "factor_set", "recovery_made"]


def test_the_key_is_shown_where_it_was_begun_only(log_in):
    person = make_user(permissions.AUDITOR)
    client, other = log_in(person), log_in(person)
    prove(client)
    prove(other)

    keys = [each.get(APP).context["key"] for each in (client, other)]

    assert keys[0] != keys[1]


def test_it_is_asked_again_after_a_quarter_of_an_hour(log_in, monkeypatch):
    client = log_in(make_user(permissions.AUDITOR))
    prove(client)
    assert client.get(APP).status_code == 200

    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 15 * 60)

    assert client.get(APP)["Location"].startswith(AGAIN)


def test_a_new_proof_gets_a_new_key(log_in):
    client = log_in(make_user(permissions.AUDITOR))
    old = Client()
    old.cookies["sessionid"] = client.session.session_key

    prove(client)

    assert client.get(APP).status_code == 200
    assert old.get("/account/").status_code == 302


def test_a_code_of_the_app_is_no_proof_of_who_one_is(monkeypatch):
    """It can be phished. The password of the login is a proof for a quarter of an hour."""
    app = make_app(make_user(permissions.AUDITOR))
    client = Client()
    now = time.time()
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    monkeypatch.setattr("time.time", lambda: now + 9 * 60)
    client.post("/login/code/", {"code": code_of(app)})
    assert client.get(APP).status_code == 200

    monkeypatch.setattr("time.time", lambda: now + 16 * 60)

    assert client.get("/account/").status_code == 200
    assert client.get(APP)["Location"].startswith(AGAIN)


def test_who_must_have_one_sets_it_up_before_anything_opens(settings):
    settings.SECOND_FACTOR = "senders"
    make_user(permissions.COMMUNITY_MANAGER)
    client = Client()
    fields = {"login": "lin.mei", "password": PASSWORD, "next": "/write/"}

    led = client.post("/login/", fields, follow=True)
    # The password was entered just now.
    begun = client.get(APP)
    refused = client.get("/write/")
    code = code_of(begun.context["key"].replace(" ", ""))
    shown = client.post(APP, {"code": code})

    assert led.request["PATH_INFO"] == "/login/set-up/"
    assert "Until it is set up, nothing else opens." in led.text
    assert refused.status_code == 302
    assert len(codes_on(shown.text)) == 10
    assert 'href="/write/"' in shown.text
    assert client.get("/write/").status_code == 200
    assert actions() == ["logged_in", "factor_set", "recovery_made", "logged_in"]
    details = AuditEntry.objects.order_by("id").values_list("detail", flat=True)
    assert details.last() == {"second_factor": "app"}


def test_two_browsers_that_must_set_it_up(settings):
    """The second browser cannot replace the factor that the first set up."""
    settings.SECOND_FACTOR = "everybody"
    person = make_user(permissions.AUDITOR)
    client = Client()
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    key = client.get(APP).context["key"].replace(" ", "")
    app = make_app(person)

    answer = client.post(APP, {"code": code_of(key)})

    assert answer["Location"] == "/login/"
    assert Authenticator.objects.get() == app
    assert client.get("/account/").status_code == 302


def test_single_sign_on_has_its_own(log_in):
    person = make_user(permissions.AUDITOR)
    person.set_unusable_password()
    person.save()
    client = log_in(person)

    assert client.get(APP).status_code == 403
    assert APP not in client.get("/account/").text


def test_guessing_the_password_there_locks_out_as_at_the_login(log_in):
    client = log_in(make_user(permissions.AUDITOR))

    answers = [client.post(AGAIN, {"password": f"guess {n}"}) for n in range(5)]
    right = client.post(AGAIN, {"password": PASSWORD})

    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert right.status_code == 429
    assert client.get(APP)["Location"].startswith(AGAIN)


# --- recovery codes, removing ------------------------------------------------------------


@pytest.fixture
def owner(log_in):
    """A client logged in as a person with an app, and the app."""
    person = make_user(permissions.AUDITOR)
    app = make_app(person)
    make_recovery_codes(person)
    return log_in(person), app


def test_new_recovery_codes_need_the_password(owner):
    client, _app = owner

    refused = client.post(OWN + "recovery-codes/")
    prove(client)
    shown = client.post(OWN + "recovery-codes/")

    assert refused["Location"].startswith(AGAIN)
    assert len(set(codes_on(shown.text))) == 10
    assert actions() == ["recovery_made", "recovery_made"]


def test_removing_it_needs_the_password(owner):
    client, app = owner

    client.post(f"{OWN}{app.pk}/remove/")
    assert has_factor(app.user)
    prove(client)
    client.post(f"{OWN}{app.pk}/remove/")

    assert not Authenticator.objects.exists()
    assert actions()[-1] == "factor_removed"


def test_one_that_is_demanded_is_not_removed(owner, settings):
    client, app = owner
    settings.SECOND_FACTOR = "everybody"
    client = Client()
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    client.post("/login/code/", {"code": code_of(app)})
    prove(client)

    answer = client.post(f"{OWN}{app.pk}/remove/")

    assert answer.status_code == 403
    assert "Your login needs a second factor." in answer.text
    assert has_factor(app.user)


def test_the_page_names_what_is_removed_and_what_follows(owner):
    client, app = owner
    prove(client)
    last = client.get(f"{OWN}{app.pk}/remove/")
    data = {"name": "Phone", "credential": {}}
    passkey = Authenticator.objects.create(user=app.user, type="webauthn", data=data)
    another = client.get(f"{OWN}{passkey.pk}/remove/")

    assert last.context["title"] == "Remove the authenticator app?"
    assert "the password alone lets you in" in last.text
    assert another.context["title"] == "Remove the passkey “Phone”?"
    assert "the password alone lets you in" not in another.text


def test_that_of_somebody_else_is_not_removed(owner):
    client, app = owner
    other = make_app(make_user(username="other"))
    prove(client)

    assert client.get(f"{OWN}{other.pk}/remove/").status_code == 404
    assert client.post(f"{OWN}{other.pk}/remove/").status_code == 404
    assert client.post(f"{OWN}0{app.pk}/remove/").status_code == 302
    assert Authenticator.objects.get(type="totp") == other


def test_the_trail_says_it_in_words(log_in):
    person = make_user(permissions.AUDITOR, username="reader")
    client = Client()
    made = make_app(make_user())
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    client.post("/login/code/", {"code": code_of(made)})

    page = log_in(person).get("/history/actions/").text

    assert "Second factor: not given yet" in page
    assert "Second factor: code of the app" in page


# --- people ----------------------------------------------------------------------------


def test_the_list_of_people_says_who_has_one(log_in):
    make_app(make_user(username="with"))

    page = log_in(make_user(superuser=True)).get("/auth/user/").text

    rows = re.findall(
        r'class="sub code">([\w.]+)<.*?field-second_factor">(.*?)</td>', page, re.DOTALL
    )
    assert {name: re.sub("<.*?>", "", cell).split()[-1] for name, cell in rows} == {
        "lin.mei": "–",
        "with": "up",
    }


def test_an_administrator_removes_what_somebody_lost(log_in):
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR))
    loser = make_user(username="loser")
    make_app(loser)
    prove(client)
    address = f"/auth/user/{loser.pk}/second-factor/"

    assert address in client.get(f"/auth/user/{loser.pk}/change/").text
    assert "All sessions of this person end." in client.get(address).text
    said = client.post(address, follow=True).text
    again = client.post(address, follow=True).text

    assert "The second factor of loser is removed." in said
    assert "No second factor is set up for loser." in again
    assert not has_factor(loser)
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.actor) == ("factor_removed", "lin.mei")
    assert entry.detail == {"person": "loser"}


@pytest.mark.parametrize("of", ["lin.mei", "chief"])
def test_neither_the_own_one_nor_that_of_a_superuser(log_in, of):
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR))
    make_user(username="chief", superuser=True)
    person = User.objects.get(username=of)
    made = make_app(person)
    address = f"/auth/user/{person.pk}/second-factor/"

    assert client.get(address).status_code == 403
    assert client.post(address).status_code == 403
    assert Authenticator.objects.get() == made
