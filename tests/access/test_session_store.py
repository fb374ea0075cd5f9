"""The session store: expiry, and the stored fields of a session."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError

from notifications.access.session_store import SessionStore
from notifications.models import LoginSession, stored_key
from tests.factories import MOMENT, make_user

pytestmark = pytest.mark.django_db

HOURS = timedelta(hours=8)
IDLE = timedelta(minutes=30)


@pytest.fixture
def clock():
    with time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


def begin(user) -> str:
    store = SessionStore()
    store.address, store.browser = "198.51.100.9", "Firefox"
    store[SESSION_KEY] = str(user.pk)
    store.create()
    return store.session_key


def is_open(key: str) -> bool:
    return SESSION_KEY in SessionStore(key)


def test_a_row_says_whose_it_is_from_where_and_until_when(clock):
    user = make_user()

    key = begin(user)

    assert LoginSession.objects.values().get() == {
        "session_key": stored_key(key),
        "session_data": LoginSession.objects.get().session_data,
        "expire_date": MOMENT + IDLE,
        "user_id": user.pk,
        "begun_at": MOMENT,
        "seen_at": MOMENT,
        "address": "198.51.100.9",
        "browser": "Firefox",
        "kept_values": None,
    }
    assert key not in LoginSession.objects.get().public_id
    assert (len(key), begin(user) == key) == (32, False)


def test_it_ends_when_nobody_uses_it(clock):
    key = begin(make_user())

    clock.move_to(MOMENT + IDLE - timedelta(seconds=1))
    assert is_open(key)
    clock.move_to(MOMENT + IDLE)
    assert not is_open(key)


def test_it_ends_of_age_however_much_it_is_used(clock):
    key = begin(make_user())
    now = MOMENT
    while now < MOMENT + HOURS - IDLE:
        now += IDLE - timedelta(minutes=1)
        clock.move_to(now)
        store = SessionStore(key)
        assert SESSION_KEY in store
        store.record_activity(now)

    clock.move_to(MOMENT + HOURS - timedelta(seconds=1))
    assert is_open(key)
    clock.move_to(MOMENT + HOURS)
    assert not is_open(key)


def test_what_is_put_into_it_makes_it_no_younger(clock):
    key = begin(make_user())

    clock.shift(timedelta(minutes=10))
    store = SessionStore(key)
    store["chosen"] = ["hikers"]
    store.save()
    store.cycle_key()

    row = LoginSession.objects.get()
    assert row.session_key == stored_key(store.session_key) != stored_key(key)
    assert (row.begun_at, row.seen_at) == (MOMENT, MOMENT)
    assert (row.address, row.expire_date) == ("198.51.100.9", MOMENT + IDLE)


def test_what_was_ended_does_not_come_back(client):
    client.force_login(make_user())
    store = SessionStore(client.session.session_key)
    store["chosen"] = ["hikers"]
    LoginSession.objects.all().delete()

    with pytest.raises(UpdateError):
        store.save()

    assert not LoginSession.objects.exists()


def test_rows_of_sessions_that_ended_stay_for_a_week(clock):
    key = begin(make_user())

    clock.move_to(MOMENT + IDLE + timedelta(days=7))
    SessionStore.clear_expired()
    assert LoginSession.objects.filter(pk=stored_key(key)).exists()
    clock.shift(timedelta(seconds=1))
    SessionStore.clear_expired()
    assert not LoginSession.objects.exists()


def test_a_session_of_nobody_is_in_the_browser(clock):
    store = SessionStore()
    store["messages"] = ["Tonight"]
    store.save()
    key = store.session_key

    assert SessionStore(key)["messages"] == ["Tonight"]
    assert not LoginSession.objects.exists()

    assert SessionStore(key + "x").get("messages") is None
    clock.shift(timedelta(minutes=15, seconds=1))
    assert SessionStore(key).get("messages") is None


def test_a_session_that_is_too_long_for_a_browser_keeps_nothing():
    store = SessionStore()
    store["messages"] = list(range(5000))
    store.save()

    assert SessionStore(store.session_key).get("messages") is None


def test_a_login_makes_it_a_row_and_a_logout_removes_the_row():
    store = SessionStore()
    store["messages"] = ["Tonight"]
    store.save()
    in_browser = store.session_key

    store[SESSION_KEY] = str(make_user().pk)
    store.save()
    row = LoginSession.objects.get()
    assert row.session_key == stored_key(store.session_key)
    assert store.session_key != in_browser

    del store[SESSION_KEY]
    store.save()
    assert not LoginSession.objects.exists()
    assert SessionStore(store.session_key)["messages"] == ["Tonight"]


def test_who_reads_the_table_is_not_inside(client):
    client.force_login(make_user())
    row = LoginSession.objects.get()
    assert client.session.session_key not in str(LoginSession.objects.values())

    client.cookies["sessionid"] = row.session_key

    assert client.get("/account/").status_code == 302
