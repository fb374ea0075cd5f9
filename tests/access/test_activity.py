"""Activity that extends a session, and the message after its end."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from notifications import permissions
from notifications.access.session_store import SessionStore
from notifications.models import GroupSync, LoginSession, stored_key
from tests.factories import MOMENT, PASSWORD, make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IDLE = "You were logged out after 30 minutes without a click."
OLD = "You were logged out: it was 8 hours after you had logged in."
ENDED = (
    "You are logged out. Perhaps an administrator ended your session, or your roles or "
    "your password were changed."
)


@pytest.fixture
def clock():
    with time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


@pytest.fixture
def inside(clock, log_in) -> Client:
    return log_in(make_user(superuser=True))


def seen_after() -> timedelta:
    return LoginSession.objects.get().seen_at - MOMENT


def come_in(client: Client) -> str:
    client.post("/login/", {"login": "lin.mei", "password": PASSWORD})
    return client.session.session_key


def said(client: Client, path: str = "/history/") -> list[str]:
    page = client.get(path, follow=True)
    assert page.request["PATH_INFO"] == "/login/"
    assert page.context["redirect_field_value"] == path
    return [str(message) for message in page.context["messages"]]


def test_a_click_is_written_down_once_a_minute(inside, clock):
    clock.move_to(MOMENT + timedelta(seconds=59))
    inside.get("/")
    assert seen_after() == timedelta(0)
    clock.move_to(MOMENT + timedelta(seconds=60))
    inside.get("/")
    assert seen_after() == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/sent/{sent}/", True),
        ("/write/groups/", True),
        ("/sent/{sent}/status/", False),
        ("/groups/sync/{sync}/status/", False),
        ("/write/count/", False),
        ("/language/setlang/", True),
    ],
)
def test_what_pages_ask_for_by_themselves_is_no_click(inside, clock, path, counts):
    numbers = {
        "sent": make_notification(status="completed").pk,
        "sync": GroupSync.objects.create(requested_by="lin.mei").pk,
    }
    clock.shift(timedelta(minutes=10))

    inside.post(path.format(**numbers))

    assert seen_after() == (timedelta(minutes=10) if counts else timedelta(0))


def test_a_login_says_from_where(client):
    make_user()

    client.get("/", headers={"User-Agent": FIREFOX})
    client.post(
        "/login/",
        {"login": "lin.mei", "password": PASSWORD},
        headers={"User-Agent": FIREFOX + "\0" + "x" * 300},
        REMOTE_ADDR="198.51.100.9",
    )

    row = LoginSession.objects.get()
    assert (row.user.username, row.address) == ("lin.mei", "198.51.100.9")
    assert row.browser == (FIREFOX + "x" * 300)[:200]


def test_the_cookie_goes_with_the_browser_and_each_login_has_its_own_key(client):
    make_user()

    keys = [come_in(client)]
    client.post("/logout/")
    keys.append(come_in(client))

    assert keys[0] != keys[1]
    assert LoginSession.objects.get().pk == stored_key(keys[1])
    assert client.cookies["sessionid"]["max-age"] == ""
    client.post("/logout/")
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize(
    ("used_until", "comes_back", "sentence"),
    [
        (timedelta(0), timedelta(minutes=30), IDLE),
        (timedelta(hours=1), timedelta(days=2), IDLE),
        (timedelta(hours=7, minutes=45), timedelta(hours=8), OLD),
    ],
)
def test_the_login_page_says_why(inside, clock, used_until, comes_back, sentence):
    LoginSession.objects.update(
        seen_at=MOMENT + used_until,
        expire_date=MOMENT
        + min(used_until + timedelta(minutes=30), timedelta(hours=8)),
    )
    clock.move_to(MOMENT + comes_back)

    assert said(inside) == [sentence]
    assert said(inside) == []


def test_a_session_that_somebody_ended(inside):
    LoginSession.objects.all().delete()

    assert said(inside) == [ENDED]


def test_a_password_that_a_command_set_ends_it_too(inside):
    user = User.objects.get()
    user.set_password("another long pass phrase")
    user.save()

    assert said(inside) == [ENDED]
    assert not LoginSession.objects.exists()


def test_a_poll_leaves_the_sentence_for_the_login_page(inside, clock):
    sent = make_notification(status="completed").pk
    clock.shift(timedelta(hours=2))

    polled = inside.get(f"/sent/{sent}/status/")

    assert polled.status_code == 302
    assert said(inside, f"/sent/{sent}/") == [IDLE]


def test_nobody_who_was_not_inside_is_told_anything(clock, client):
    store = SessionStore()
    store["odd"] = "anonymous"
    store.save()
    client.cookies["sessionid"] = store.session_key
    clock.shift(timedelta(hours=2))

    assert said(client) == []


def test_a_request_without_a_session_stores_none(db, client):
    for _n in range(3):
        client.cookies["sessionid"] = "unknown"
        assert said(client) == [ENDED]

    assert not LoginSession.objects.exists()


def test_who_was_logged_out_goes_on_where_it_was(inside, clock):
    clock.shift(timedelta(hours=1))
    away = inside.get("/history/?q=hikers")

    back = inside.post(
        away["Location"],
        {"login": "lin.mei", "password": PASSWORD, "next": "/history/?q=hikers"},
    )

    assert back["Location"] == "/history/?q=hikers"


def test_a_text_that_is_posted_too_late_is_kept(clock, log_in):
    client = log_in(make_user(permissions.COMMUNITY_MANAGER))
    clock.shift(timedelta(hours=1))

    lost = client.post("/write/", {"content": "Three hours of work"})
    client.post(lost["Location"], {"login": "lin.mei", "password": PASSWORD})
    page = client.get("/write/")

    assert page.context["form"]["content"].value() == "Three hours of work"
