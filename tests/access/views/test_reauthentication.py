"""Asking again who it is before changes of people, roles, and the end of Stop all."""

import time

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.test import Client

from notifications import permissions
from notifications.delivery.controls import switch_shown
from notifications.models import AuditEntry, SendingSwitch
from tests.edit_forms import save_form
from tests.factories import PASSWORD, make_app, make_user, prove

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

AGAIN = "/account/again/"


@pytest.fixture
def chief():
    return make_user(superuser=True, username="chief")


@pytest.fixture
def late(chief):
    """A client whose password was given more than a quarter of an hour ago."""
    client = Client()
    client.force_login(chief)
    return client


def addresses() -> list[str]:
    person = make_user(permissions.AUDITOR, username="wang.fang")
    make_app(person)
    role = Group.objects.get(name=permissions.AUDITOR)
    return [
        "/auth/user/add/",
        f"/auth/user/{person.pk}/change/",
        f"/auth/user/{person.pk}/second-factor/",
        f"/people/{person.pk}/log-out/",
        "/auth/group/add/",
        f"/auth/group/{role.pk}/change/",
        f"/auth/group/{role.pk}/delete/",
    ]


def rows() -> list[object]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (User, Group, Authenticator, AuditEntry, SendingSwitch)
    ]


def test_pages_that_change_people_and_roles_ask_and_a_post_changes_nothing(late):
    places = addresses()
    before = rows()

    for place in places:
        for method in ("GET", "POST"):
            if method == "GET" and place.endswith("log-out/"):
                continue  # only a POST
            answer = late.generic(method, place)
            assert answer["Location"].startswith(AGAIN), (method, place)

    assert rows() == before


def test_they_open_after_the_password_until_a_quarter_of_an_hour_later(
    late, monkeypatch
):
    (place, *_others) = addresses()
    late.post(AGAIN, {"password": "wrong"})
    assert late.get(place)["Location"].startswith(AGAIN)
    late.post(AGAIN, {"password": PASSWORD})
    assert late.get(place).status_code == 200

    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 15 * 60 + 1)

    assert late.get(place)["Location"].startswith(AGAIN)


def test_the_password_of_the_login_counts():
    make_user(permissions.PEOPLE_ADMINISTRATOR)
    client = Client()
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})

    assert client.get("/auth/user/add/").status_code == 200


def test_who_may_only_look_is_not_asked(chief):
    client = Client()
    client.force_login(make_user(permissions.PEOPLE_ADMINISTRATOR))
    role = Group.objects.get(name=permissions.AUDITOR)

    for place in (
        "/auth/user/",
        f"/auth/user/{chief.pk}/change/",
        f"/auth/group/{role.pk}/change/",
    ):
        assert client.get(place).status_code == 200


def test_what_was_typed_is_saved_after_the_password(late, log_in, chief):
    person = make_user(permissions.AUDITOR)
    place = f"/auth/user/{person.pk}/change/"
    values = {"username": "lin.mei", "first_name": "Mei", "is_active": "on"}
    fresh = log_in(chief)
    made_from = fresh.get(place).context["adminform"].form["made_from"].value()

    asked = late.post(place, values | {"made_from": made_from})
    person.refresh_from_db()
    assert person.first_name == ""
    late.post(asked["Location"], {"password": PASSWORD})

    person.refresh_from_db()
    assert person.first_name == "Mei"


def test_stop_all_is_never_asked_about_and_its_end_is():
    client = Client()
    client.force_login(make_user(permissions.COMMUNITY_MANAGER))

    client.post("/sending/", {"turn": "off"})
    assert SendingSwitch.present().is_off
    for turn in ({}, {"turn": "on", "shown": switch_shown()}):
        asked = client.post("/sending/", turn)
        assert asked["Location"].startswith(AGAIN)
    assert SendingSwitch.present().is_off

    client.post(asked["Location"], {"password": PASSWORD})

    assert not SendingSwitch.present().is_off


def test_who_may_not_send_is_refused_before_being_asked(log_in):
    client = log_in(make_user(permissions.AUDITOR))

    assert client.post("/sending/", {"turn": "on"}).status_code == 403


def test_a_proof_of_somebody_else_in_the_same_browser_does_not_count(chief):
    client = Client()
    client.force_login(make_user(permissions.PEOPLE_ADMINISTRATOR))
    prove(client)

    client.force_login(chief)

    assert client.get("/auth/user/add/")["Location"].startswith(AGAIN)


def test_saving_with_a_recent_proof(log_in, chief):
    person = make_user(permissions.AUDITOR)
    values = {"username": "lin.mei", "first_name": "Mei", "is_active": "on"}

    save_form(log_in(chief), f"/auth/user/{person.pk}/change/", values)

    person.refresh_from_db()
    assert person.first_name == "Mei"
