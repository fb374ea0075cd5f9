"""Pages of the second factor: one's own, and the reset by an administrator."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from notifications import permissions
from notifications.access.queries import second_factor_of
from notifications.access.services import second_factor
from notifications.models import AuditEntry
from tests.factories import (
    PASSWORD,
    code_of,
    make_second_factor,
    make_user,
    wrong_code,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OWN = "/account/second-factor/"
SET_UP = OWN + "set-up/"
NOT_YOURS = {"password": ["This is not your password. Capital letters count."]}


def device() -> TOTPDevice:
    return TOTPDevice.objects.get()


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def codes_on(page: str) -> list[str]:
    return re.findall(r'<li class="code">(.*?)</li>', page)


# --- setting up ------------------------------------------------------------------------


def test_setting_it_up_from_the_password_to_the_recovery_codes(log_in):
    client = log_in(make_user(permissions.AUDITOR))
    key = client.session.session_key

    wrong = client.post(SET_UP, {"password": "wrong"})
    begun = client.post(SET_UP, {"password": PASSWORD}, follow=True)
    typed_wrong = client.post(SET_UP, {"code": wrong_code(device())})
    TOTPDevice.objects.update(throttling_failure_timestamp=None)
    shown = client.post(SET_UP, {"code": code_of(device())})
    state = client.get(OWN)

    assert wrong.context["form"].errors == NOT_YOURS
    assert begun.context["key"].replace(" ", "") in begun.context["address"]
    assert '<svg viewBox="0 0' in begun.text
    assert "style=" not in begun.context["qr_code"]
    assert typed_wrong.status_code == 200
    assert "This code is wrong" in typed_wrong.text
    assert len(set(codes_on(shown.text))) == 10
    assert shown["Cache-Control"] == begun["Cache-Control"]
    assert "no-store" in shown["Cache-Control"]
    assert "10 recovery codes are left." in state.text
    assert begun.context["key"] not in state.text
    assert client.session.session_key != key
    assert actions() == ["login_refused", "factor_set", "recovery_made"]


def test_the_key_is_shown_where_it_was_begun_only_and_not_for_long(log_in, monkeypatch):
    person = make_user(permissions.AUDITOR)
    client, other = log_in(person), log_in(person)
    client.post(SET_UP, {"password": PASSWORD})

    assert "key" in client.get(SET_UP).context
    assert "key" not in other.get(SET_UP).context
    later = timezone.now() + timedelta(minutes=10)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert "key" not in client.get(SET_UP).context


def test_setting_it_up_anew_keeps_the_old_one_until_the_end(log_in):
    person = make_user(permissions.AUDITOR)
    old = make_second_factor(person)
    client = log_in(person)
    client.post("/login/code/", {"code": code_of(old)})

    client.post(SET_UP, {"password": PASSWORD})
    begun = TOTPDevice.objects.get(confirmed=False)

    assert "works until the new one" not in client.get(SET_UP).text
    assert second_factor_of(person).is_set_up
    client.post(SET_UP, {"code": code_of(begun)})
    assert device() == begun


def test_who_must_have_one_sets_it_up_before_anything_opens(settings):
    settings.SECOND_FACTOR = "senders"
    make_user(permissions.COMMUNITY_MANAGER)
    client = Client()
    fields = {"login": "lin.mei", "password": PASSWORD, "next": "/write/"}

    led = client.post("/login/", fields, follow=True)
    # The password was entered just now.
    begun = client.post(SET_UP, {"go": "on"}, follow=True)
    refused = client.get("/write/")
    shown = client.post(SET_UP, {"code": code_of(device())})

    assert led.request["PATH_INFO"] == SET_UP
    assert "Until it is set up, nothing else opens." in led.text
    assert "key" in begun.context
    assert refused.status_code == 302
    assert len(codes_on(shown.text)) == 10
    assert client.get("/write/").status_code == 200
    assert actions() == ["logged_in", "factor_set", "recovery_made", "logged_in"]


def test_two_browsers_that_must_set_it_up(settings):
    """The second browser must enter the code of the factor that the first set up."""
    settings.SECOND_FACTOR = "everybody"
    person = make_user(permissions.AUDITOR)
    client = Client()
    client.force_login(person)
    client.post(SET_UP, {"go": "on"})
    make_second_factor(person)

    answer = client.get(SET_UP, follow=True)

    assert answer.request["PATH_INFO"] == "/login/code/"


def test_single_sign_on_has_its_own(log_in):
    person = make_user(permissions.AUDITOR)
    person.set_unusable_password()
    person.save()

    page = log_in(person).get(SET_UP).text

    assert "You log in by single sign-on." in page
    assert 'name="password"' not in page


def test_guessing_the_password_there_locks_out_as_at_the_login(log_in):
    client = log_in(make_user(permissions.AUDITOR))

    answers = [client.post(SET_UP, {"password": f"guess {n}"}) for n in range(5)]
    right = client.post(SET_UP, {"password": PASSWORD})

    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert right.status_code == 429
    assert not TOTPDevice.objects.exists()


# --- recovery codes, removing ------------------------------------------------------------


@pytest.fixture
def owner(log_in):
    """A client logged in as a person with a second factor."""
    person = make_user(permissions.AUDITOR)
    client = log_in(person)
    code = code_of(make_second_factor(person))
    second_factor.make_recovery_codes(person)
    client.get(OWN)
    return client, person, code


def test_new_recovery_codes_need_the_password(owner):
    client, _person, _code = owner

    wrong = client.post(OWN + "recovery-codes/", {"password": "wrong"})
    shown = client.post(OWN + "recovery-codes/", {"password": PASSWORD})

    assert wrong.context["form"].errors == NOT_YOURS
    assert len(set(codes_on(shown.text))) == 10
    assert actions() == ["recovery_made", "login_refused", "recovery_made"]


def test_removing_it_needs_the_password(owner):
    client, person, _code = owner

    client.post(OWN + "remove/", {"password": "wrong"})
    assert second_factor_of(person).is_set_up
    client.post(OWN + "remove/", {"password": PASSWORD})

    assert not second_factor_of(person).is_set_up
    assert actions()[-1] == "factor_removed"


def test_one_that_is_demanded_is_not_removed(owner, settings):
    client, person, code = owner
    settings.SECOND_FACTOR = "everybody"
    client.post("/login/code/", {"code": code})

    page = client.get(OWN).text
    answer = client.post(OWN + "remove/", {"password": PASSWORD})

    assert OWN + "remove/" not in page
    assert OWN + "set-up/" in page
    assert answer["Location"] == OWN
    assert second_factor_of(person).is_set_up


def test_the_trail_says_it_in_words(log_in):
    person = make_user(permissions.AUDITOR, username="reader")
    client = Client()
    made = make_second_factor(make_user())
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    client.post("/login/code/", {"code": code_of(made)})

    page = log_in(person).get("/history/actions/").text

    assert "Second factor: not given yet" in page
    assert "Second factor: code of the app" in page


# --- people ----------------------------------------------------------------------------


def test_the_list_of_people_says_who_has_one(log_in):
    make_second_factor(make_user(username="with"))
    make_second_factor(make_user(username="begun"), confirmed=False)

    page = log_in(make_user(superuser=True)).get("/auth/user/").text

    rows = re.findall(
        r'class="sub code">([\w.]+)<.*?field-second_factor">(.*?)</td>', page, re.DOTALL
    )
    assert {name: re.sub("<.*?>", "", cell).split()[-1] for name, cell in rows} == {
        "begun": "–",
        "lin.mei": "–",
        "with": "up",
    }


def test_an_administrator_removes_what_somebody_lost(log_in):
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR))
    loser = make_user(username="loser")
    make_second_factor(loser)
    address = f"/auth/user/{loser.pk}/second-factor/"

    assert address in client.get(f"/auth/user/{loser.pk}/change/").text
    assert "All sessions of this person end." in client.get(address).text
    said = client.post(address, follow=True).text
    again = client.post(address, follow=True).text

    assert "The second factor of loser is removed." in said
    assert "No second factor is set up for loser." in again
    assert not second_factor_of(loser).is_set_up
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.actor) == ("factor_removed", "lin.mei")
    assert entry.detail == {"person": "loser"}


@pytest.mark.parametrize("of", ["lin.mei", "chief"])
def test_neither_the_own_one_nor_that_of_a_superuser(log_in, of):
    client = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR))
    make_user(username="chief", superuser=True)
    person = User.objects.get(username=of)
    made = make_second_factor(person)
    address = f"/auth/user/{person.pk}/second-factor/"

    assert client.get(address).status_code == 403
    assert client.post(address).status_code == 403
    assert device() == made
