"""Asking people of single sign-on again who they are, before a sensitive action."""

import time
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group, User

from notifications import permissions
from notifications.delivery.controls import switch_shown
from notifications.models import SendingSwitch

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

AGAIN = "/account/again/"


@pytest.fixture
def manager(visit) -> User:
    """Logged in by ``client``."""
    visit()
    person = User.objects.get()
    person.groups.add(Group.objects.get(name=permissions.COMMUNITY_MANAGER))
    return person


def later(monkeypatch) -> None:
    now = time.time()
    monkeypatch.setattr("notifications.ui.pages.time.time", lambda: now + 15 * 60 + 1)


def test_a_login_within_a_quarter_of_an_hour_is_enough(client, manager):
    SendingSwitch.objects.create(pk=1, is_off=True)

    client.post("/sending/", {"turn": "on", "shown": switch_shown()})

    assert not SendingSwitch.present().is_off


def test_afterwards_the_login_at_the_provider_is_repeated(
    client, manager, provider, monkeypatch
):
    SendingSwitch.objects.create(pk=1, is_off=True)
    later(monkeypatch)
    asked = client.post(
        "/sending/", {"turn": "on", "shown": switch_shown()}, follow=True
    )
    assert asked.request["PATH_INFO"] == AGAIN
    place = unescape(asked.text).partition('href="/sso/')[2].partition('"')[0]
    monkeypatch.undo()

    begun = client.get("/sso/" + place)
    assert parse_qs(urlsplit(begun["Location"]).query)["prompt"] == ["login"]
    assert SendingSwitch.present().is_off
    back = client.get(provider.consent(begun["Location"]))
    client.get(back["Location"])

    assert not SendingSwitch.present().is_off


def test_another_person_who_logs_in_instead_repeats_nothing(
    client, manager, provider, monkeypatch
):
    SendingSwitch.objects.create(pk=1, is_off=True)
    later(monkeypatch)
    asked = client.post("/sending/", {"turn": "on", "shown": switch_shown()})
    monkeypatch.undo()
    begun = client.get("/sso/corp/", {"next": asked["Location"]})

    provider.claims |= {"sub": "another", "preferred_username": "other"}
    client.get(client.get(provider.consent(begun["Location"]))["Location"])

    assert "account_reauthentication_state" not in client.session
    assert SendingSwitch.present().is_off


def test_without_a_new_login_nothing_is_repeated(client, manager, monkeypatch):
    SendingSwitch.objects.create(pk=1, is_off=True)
    later(monkeypatch)

    asked = client.post("/sending/", {"turn": "on", "shown": switch_shown()})
    client.get(asked["Location"])
    client.post(asked["Location"], {"password": ""})
    client.post(asked["Location"], {"password": "!"})

    assert SendingSwitch.present().is_off
