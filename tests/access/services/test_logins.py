"""Logins in the audit trail: unknown names are not recorded."""

import pytest
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.test import Client

from notifications.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

FROM = "198.51.100.9"


def log_in(username: str, password: str = PASSWORD) -> Client:
    client = Client(REMOTE_ADDR=FROM)
    client.post("/login/", {"login": username, "password": password, "next": "/"})
    return client


def entries() -> list[tuple[str, str, str, str]]:
    return list(
        AuditEntry.objects.order_by("id").values_list(
            "action", "actor", "actor_name", "address"
        )
    )


def test_in_and_out():
    make_user(first_name="Mei", last_name="Lin")

    log_in("lin.mei").post("/logout/")

    assert entries() == [
        ("logged_in", "lin.mei", "Mei Lin", FROM),
        ("logged_out", "lin.mei", "Mei Lin", FROM),
    ]


@pytest.mark.parametrize(
    ("person", "typed", "password", "actor"),
    [
        ({}, "lin.mei", "wrong", "lin.mei"),
        ({"is_active": False}, "lin.mei", PASSWORD, "lin.mei"),
        ({"is_staff": False}, "lin.mei", PASSWORD, "lin.mei"),
        ({}, PASSWORD, PASSWORD, "(unknown name)"),
    ],
)
def test_a_refused_login(person, typed, password, actor):
    make_user(**person)

    log_in(typed, password)

    assert entries() == [("login_refused", actor, "", FROM)]
    (detail,) = AuditEntry.objects.values_list("detail", flat=True)
    assert detail == {}


def test_an_empty_or_impossible_name_is_no_login_at_all():
    log_in("")
    log_in("a\0b")

    assert entries() == []


def test_a_session_that_ended_is_no_logout(client):
    client.post("/logout/")

    assert entries() == []


def test_what_a_script_does_is_no_login_of_a_page(client):
    client.force_login(make_user())
    authenticate(HttpRequest(), username="lin.mei", password="wrong")

    assert entries() == []
