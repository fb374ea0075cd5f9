"""Lockout: five wrong logins with a name from one address lock it for 15 minutes."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from notifications.models import AuditEntry
from tests.factories import MOMENT, PASSWORD, make_user

pytestmark = pytest.mark.django_db

WRONG = "not this one"
HERE = "198.51.100.9"
THERE = "203.0.113.5"
A_QUARTER = timedelta(minutes=15)
IN = 302


@pytest.fixture
def clock():
    with time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


def attempt(
    username: str = "lin.mei", password: str = WRONG, address: str = HERE, **more
) -> HttpResponse:
    fields = {"login": username, "password": password, "next": "/"}
    return Client(REMOTE_ADDR=address, **more).post("/login/?next=/?q=hush", fields)


def answers(count: int, *arguments: str, **more) -> list[int]:
    return [attempt(*arguments, **more).status_code for _ in range(count)]


def entries() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor"))


def test_it_begins_with_the_fifth_and_ends_by_itself(clock):
    make_user()

    assert answers(5) == [200, 200, 200, 200, 429]
    clock.shift(A_QUARTER - timedelta(seconds=1))
    assert attempt(password=PASSWORD).status_code == 429
    clock.shift(timedelta(seconds=2))
    assert attempt(password=PASSWORD).status_code == IN


def test_tries_meanwhile_neither_make_it_longer_nor_fill_the_trail(clock):
    make_user()
    answers(5)
    for _minute in range(14):
        clock.shift(timedelta(minutes=1))
        attempt()

    clock.move_to(MOMENT + A_QUARTER + timedelta(seconds=1))
    assert attempt(password=PASSWORD).status_code == IN

    assert entries() == [
        *[("login_refused", "lin.mei")] * 5,
        ("locked_out", "lin.mei"),
        ("logged_in", "lin.mei"),
    ]


def test_only_this_name_at_this_address(clock):
    make_user()
    make_user(username="wang.fang")
    answers(5)

    assert attempt(password=PASSWORD).status_code == 429
    assert attempt("wang.fang", PASSWORD).status_code == IN
    assert attempt(password=PASSWORD, address=THERE).status_code == IN


@pytest.mark.parametrize("trusted", [0, 1])
def test_the_address_is_that_behind_trusted_proxies(settings, clock, trusted):
    settings.TRUSTED_PROXIES = trusted
    make_user()
    answers(5, address="10.0.0.1", headers={"X-Forwarded-For": THERE})

    through_it = attempt(
        password=PASSWORD, address="10.0.0.1", headers={"X-Forwarded-For": HERE}
    )

    assert through_it.status_code == (IN if trusted else 429)


def test_where_no_address_is_known_all_count_together(clock):
    make_user()

    assert answers(5, address="")[-1] == 429


def test_another_browser_is_no_way_round(clock):
    make_user()
    for number in range(4):
        attempt(headers={"User-Agent": f"Browser {number}"})
        clock.shift(timedelta(minutes=1))

    fifth = attempt(headers={"User-Agent": "Browser 5"})

    assert fifth.status_code == 429
    after_the_last = MOMENT + timedelta(minutes=4) + A_QUARTER
    assert fifth.context["until"] == after_the_last + timedelta(seconds=1)


def test_a_right_password_forgets_the_wrong_ones(clock):
    make_user()

    answers(4)
    attempt(password=PASSWORD)

    assert answers(4) == [200] * 4


@pytest.mark.parametrize("typed", [PASSWORD, "lin.mei"])
def test_what_was_typed_is_stored_nowhere_but_a_known_name(clock, caplog, typed):
    """People type passwords into the name field by mistake."""
    make_user()

    with caplog.at_level(logging.DEBUG):
        assert answers(5, typed, "hush-hush")[-1] == 429

    row = AccessAttempt.objects.get()
    is_known = typed == "lin.mei"
    assert (row.username == typed) == is_known
    assert is_known or len(row.username) == 64
    stored = repr({**vars(row), "username": ""}) + caplog.text
    for secret in (typed, "hush"):
        assert secret not in stored
    assert set(entries()) == {
        ("login_refused", typed if is_known else "(unknown name)"),
        ("locked_out", typed if is_known else "(unknown name)"),
    }


def test_a_digest_of_another_installation_is_another(clock, settings):
    attempt("nobody")
    settings.SECRET_KEY = "another-key-of-another-installation"
    attempt("nobody")

    assert len(set(AccessAttempt.objects.values_list("username", flat=True))) == 2


def test_old_rows_are_removed(clock):
    answers(2, "nobody")
    clock.shift(A_QUARTER)
    attempt("somebody", address=THERE)

    assert [row.ip_address for row in AccessAttempt.objects.all()] == [THERE]


def test_the_page_says_until_when(clock, settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    make_user()
    answers(4)
    clock.shift(timedelta(minutes=3))

    answer = attempt()

    text = " ".join(answer.content.decode().split())
    assert "Too many wrong logins with this name from your address." in text
    assert "You can log in again from 2026-03-02 17:48:01 Asia/Shanghai on." in text
    assert "Until then the right password does not help either." in text
    assert answer["Retry-After"] == "901"
    assert 'id="app-nav"' not in text
    assert "lin.mei" not in text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["/login/", "/account/again/"])
def test_of_parallel_guesses_no_more_are_verified_than_one_after_another(
    place, monkeypatch
):
    """Each is counted before its password is verified, also from many browsers."""
    person = make_user()
    clients = [
        Client(headers={"User-Agent": f"Browser {number}"}) for number in range(16)
    ]
    if place != "/login/":
        for client in clients:
            client.force_login(person)
    verified = []
    check = User.check_password

    def counted(self, password):
        verified.append(password)
        return check(self, password)

    monkeypatch.setattr(User, "check_password", counted)
    start = threading.Barrier(len(clients))

    def guess(client: Client) -> int:
        fields = {"login": "lin.mei", "password": WRONG}
        start.wait(30)
        try:
            return client.post(place, fields).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as pool:
        statuses = list(pool.map(guess, clients))

    assert statuses.count(429) >= 11
    assert 1 <= len(verified) <= 5
