"""Limits of requests: body, rate, downloads at once."""

import time

import pytest
from django.urls import get_resolver, reverse

from notifications import permissions
from notifications.console import request_limits
from notifications.console.request_counts import ENTRIES, ENTRY, FILE, count_request
from notifications.console.request_limits import (
    BODY_BYTES,
    DOWNLOADS,
    DOWNLOADS_AT_ONCE,
    FORM_BYTES,
    FORM_RATES,
    PAGE_RATES,
    UNLIMITED,
    Rate,
    RunningDownloads,
)
from notifications.models import SendingSwitch
from tests.addresses import named
from tests.environment import STATE_DIR
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LOGIN, WRITE, SWITCH = "/login/", "/write/", "/sending/"
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
def manager(log_in):
    return log_in(make_user(permissions.COMMUNITY_MANAGER, username="lin.mei"))


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


def read(response) -> None:
    """To the end, at which the test client closes the response as a server does."""
    b"".join(response.streaming_content)


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_tables_have_names_of_urls():
    names = {name for name, _takes in named(get_resolver())}

    assert {*BODY_BYTES, *UNLIMITED, *FORM_RATES, *PAGE_RATES} <= names


# --- the body ------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LOGIN, WRITE, "/language/setlang/", "/logout/"])
def test_a_large_body_without_a_login_is_refused_unread(client, path):
    body = b"username=" + b"%41" * 30_000

    response = client.post(path, body, content_type=URLENCODED)

    assert response.status_code == 413
    assert response.wsgi_request._read_started is False
    assert "notifications/ui/base_anonymous.html" in [
        t.name for t in response.templates
    ]


def test_the_limit_is_exact(client):
    name = b"username="
    largest = name + b"x" * (FORM_BYTES - len(name))

    assert client.post(LOGIN, largest, content_type=URLENCODED).status_code == 200
    refused = client.post(LOGIN, largest + b"x", content_type=URLENCODED)
    assert refused.status_code == 413
    assert "This is more than 64 KB at once." in words(refused)


def test_a_long_list_is_taken_with_a_login_only(client, manager):
    fields = {"ids": "x " * FORM_BYTES}

    assert manager.post("/write/groups/", fields).status_code == 200
    refused = client.post("/write/groups/", fields)
    assert refused.status_code == 413
    assert "You were logged out" in words(refused)


def test_a_long_list_is_taken_without_percent_encoding_only(manager):
    """Decoded, 5 MB of %41 take 400 MB."""
    body = b"ids=" + b"%41" * 30_000

    refused = manager.post("/write/groups/", body, content_type=URLENCODED)

    assert refused.status_code == 413
    page = manager.get(WRITE).content.decode()
    assert 'enctype="multipart/form-data"' in page


@pytest.mark.parametrize("name", BODY_BYTES)
def test_more_than_the_limit_of_the_url_is_refused(log_in, name):
    chief = log_in(make_user(superuser=True))
    arguments = [1] if name == "admin:write_edit" else []
    request = {"CONTENT_LENGTH": str(BODY_BYTES[name] + 1)}

    response = chief.post(reverse(name, args=arguments), {}, **request)

    assert response.status_code == 413


def test_another_form_of_the_same_person_takes_no_long_body(manager):
    response = manager.post(SWITCH, {"turn": "x" * FORM_BYTES})

    assert response.status_code == 413
    assert not SendingSwitch.objects.filter(is_off=True).exists()


def test_too_many_fields_are_refused(client):
    body = "&".join(f"x{n}=1" for n in range(1001))

    assert client.post(LOGIN, body, content_type=URLENCODED).status_code == 400


# --- how often -----------------------------------------------------------------------


@pytest.fixture
def low(monkeypatch):
    """Two requests of each kind in a minute that does not end."""
    two = Rate(2, 10**6)
    monkeypatch.setattr(request_limits, "FORMS", two)
    monkeypatch.setattr(request_limits, "PAGES", two)
    for rates in (FORM_RATES, PAGE_RATES):
        for name in list(rates):
            monkeypatch.setitem(rates, name, two)


def statuses(client, path: str, times: int = 3, **request) -> list[int]:
    return [client.post(path, **request).status_code for _n in range(times)]


def test_forms_of_one_person_are_limited_together(manager, log_in, low):
    sent = make_notification(status="sending")
    for path in (f"/sent/{sent.pk}/resume/", f"/sent/{sent.pk}/take-over/"):
        assert manager.post(path).status_code != 429

    refused = manager.post(f"/sent/{sent.pk}/resume/")

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 10**6
    assert "Nothing was changed. Try again in" in words(refused)
    assert manager.get("/history/").status_code == 200  # pages have another count
    other = log_in(make_user(permissions.COMMUNITY_MANAGER, username="xu"))
    assert other.post(f"/sent/{sent.pk}/resume/").status_code != 429


def test_pages_of_one_person_are_limited(auditor, low):
    answers = [auditor.get("/history/").status_code for _n in range(3)]

    assert answers == [200, 200, 429]


@pytest.mark.parametrize("name", sorted({*FORM_RATES} - {"admin:group_import_check"}))
def test_costly_forms_have_a_count_of_their_own(log_in, low, name):
    author = make_user(superuser=True)
    chief = log_in(author)
    row = make_delivery(make_notification(sender=author, status="paused"))
    arguments = {
        "admin:evidence": [row.notification_id],
        "admin:notification_ask": [row.notification_id],
        "admin:delivery_ask": [row.pk],
    }.get(name, [])
    path = reverse(name, args=arguments)
    answers = []
    for _n in range(3):
        response = chief.post(path)
        answers.append(response.status_code)
        if response.streaming:
            read(response)

    assert answers[-1] == 429
    assert 429 not in answers[:2]
    assert chief.post("/groups/labels/put/").status_code != 429


def test_without_a_login_the_address_is_limited(client, low):
    def login(address: str) -> int:
        return client.post(LOGIN, REMOTE_ADDR=address).status_code

    assert [login("198.51.100.9") for _n in range(3)] == [200, 200, 429]
    assert login("::ffff:198.51.100.9") == 429
    assert [login(f"2001:db8::{n}") for n in range(3)] == [200, 200, 429]
    assert login("2001:db8:0:1::1") == 200


def test_what_stops_a_notification_is_never_limited(manager, low):
    sent = make_notification(status="sending")
    make_delivery(sent)
    for path in (f"/sent/{sent.pk}/pause/", f"/sent/{sent.pk}/stop/", SWITCH):
        assert 429 not in statuses(manager, path, 5)
    assert manager.post("/logout/").status_code != 429


def test_a_disk_that_cannot_be_written_closes_nothing(manager, low, settings, caplog):
    settings.STATE_DIR = "/proc/none"

    assert set(statuses(manager, "/groups/labels/put/", 5)) == {403}
    assert "The requests are not counted." in caplog.text


# --- the counts ----------------------------------------------------------------------


def test_a_count_ends_with_its_period(monkeypatch):
    now = 1_000_000_020.0
    monkeypatch.setattr(time, "time", lambda: now)

    assert [count_request("x", 60) for _n in range(2)] == [(1, 61), (2, 61)]
    assert count_request("y", 60)[0] == 1
    now += 59.5
    assert count_request("x", 60) == (3, 1)
    now += 1
    assert count_request("x", 60)[0] == 1


def test_the_file_does_not_grow_with_the_clients():
    for n in range(500):
        count_request(f"address {n}", 60)

    assert (STATE_DIR / FILE).stat().st_size <= ENTRIES * ENTRY.size
    assert (STATE_DIR / FILE).stat().st_mode & 0o777 == 0o600


# --- downloads at the same time ------------------------------------------------------


def test_one_download_of_a_person_at_a_time(auditor):
    make_group()
    path = reverse("admin:actions_download")
    first = auditor.post(path, {"format": "csv"})

    refused = auditor.post(path, {"format": "csv"})

    assert refused.status_code == 429
    assert refused["Retry-After"] == "10"
    assert "Another download is in progress." in words(refused)
    read(first)
    assert auditor.post(path, {"format": "csv"}).status_code == 200


def test_a_download_that_is_read_or_refused_makes_room(auditor):
    path = reverse("admin:actions_download")
    for _n in range(3):
        response = auditor.post(path, {"format": "csv"})
        read(response)
        assert auditor.post(path, {"format": "exe"}).status_code == 302


def test_a_process_sends_few_downloads_at_a_time():
    running = RunningDownloads()
    ends = [running.begin(person) for person in range(DOWNLOADS_AT_ONCE)]

    assert running.begin(99) is None
    ends[0]()
    again = running.begin(0)
    ends[0]()  # a second time: it has ended already
    assert again is not None
    assert running.begin(99) is None


def test_every_file_of_the_console_is_a_counted_download():
    assert set(DOWNLOADS) == {
        name
        for name, _takes in named(get_resolver())
        if name.endswith("_download") or name == "admin:evidence"
    }
