"""The Overview: figures, and links to the deliveries that they count."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import permissions
from notifications.history.forms import DeliveryFilterForm
from notifications.history.search import filters as search_filters
from notifications.history.search import queries as search_queries
from notifications.models import Delivery, SendingSwitch
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST = "/history/deliveries/"


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def links(response) -> list[str]:
    hrefs = re.findall(r'href="([^"]+)"', response.content.decode())
    return [unescape(link) for link in hrefs if link.startswith(LIST + "?")]


def sent_today(*states: str, **kwargs) -> None:
    notification = make_notification(
        status=kwargs.pop("status", "completed"), sent_at=timezone.now()
    )
    for state in states:
        extra = {"reason": "no_answer"} if state == "unconfirmed" else {}
        make_delivery(
            notification, status=state, created_at=timezone.now(), **extra | kwargs
        )


def test_before_the_first_notification(log_in):
    manager = log_in(make_user(permissions.COMMUNITY_MANAGER)).get("/")
    auditor = log_in(make_user(permissions.AUDITOR, username="wang.fang")).get("/")

    for page in (manager, auditor):
        assert "Sending now Nothing is being sent" in words(page)
        assert words(page).count("No deliveries in this period.") == 2
        assert "Nothing failed in this period." in words(page)
    assert "Nothing sent yet. Write the first notification" in words(manager)
    assert "Nothing sent yet." in words(auditor)
    assert "Write the first notification" not in words(auditor)


def test_figures_and_where_they_lead(log_in):
    sent_today("accepted", "accepted", "accepted", "failed", "unconfirmed")
    sent_today("accepted", "queued", status="sending")
    today = timezone.localdate()
    # Recalls and corrections are not counted.
    period = f"from={today - timedelta(days=13)}&to={today}&channel=sends"

    page = log_in(make_user(permissions.AUDITOR, username="wang.fang")).get("/")

    assert "Accepted today 4 1 failed" in words(page)
    assert "Last 14 days 66.7 % of 6 deliveries accepted" in words(page)
    assert "Sending now 1 / 2" in words(page)
    assert "Need attention 2 1 failed, 1 not confirmed" in words(page)
    day = f"from={today}&to={today}&channel=sends"
    assert set(links(page)) == {
        # tiles
        f"{LIST}?{day}&status=accepted",
        f"{LIST}?{period}",
        f"{LIST}?status=sending",
        f"{LIST}?{period}&status=failed",
        # the bar of today, its parts, and the table
        f"{LIST}?{day}",
        f"{LIST}?{day}&status=failed",
        f"{LIST}?{day}&status=unconfirmed",
        f"{LIST}?{period}&type=Public",
        # reasons, and their pictures
        f"{LIST}?{period}&status=failed&code=10010",
        f"{LIST}?{period}&status=unconfirmed&reason=no_answer",
        f"{LIST}?{day}&status=failed&code=10010",
        f"{LIST}?{day}&status=unconfirmed&reason=no_answer",
    }


def test_every_number_is_that_of_the_list_behind_it(log_in):
    sent_today("accepted", "failed", "failed", "unconfirmed", "cancelled")
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    page = client.get("/").content.decode()
    numbers = re.findall(r'<a href="([^"]+)">([\d,]+)</a>', page)

    counts = [
        (
            int(number),
            search_queries.matching_rows(filters_of(unescape(address))).count(),
        )
        for address, number in numbers
    ]

    assert sorted(counts) == [(1, 1)] * 4 + [(2, 2)] * 2


def filters_of(address: str) -> search_filters.DeliveryFilter:
    form = DeliveryFilterForm(QueryDict(urlsplit(address).query))
    assert not form.errors
    return form.filters


@pytest.mark.parametrize(("days", "bars"), [(7, 7), (14, 14), (30, 30), (90, 13)])
def test_the_period_is_chosen_by_a_link(log_in, days, bars):
    for back in range(100):
        at = timezone.now() - timedelta(days=back)
        sent = make_notification(status="completed", sent_at=at)
        make_delivery(sent, status="accepted", created_at=at)
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))

    page = client.get(f"/?days={days}")

    text = page.content.decode()
    assert f'href="?days={days}" aria-current="page"' in text
    assert f"Last {days} days 100.0 % of {days} deliveries accepted" in words(page)
    # for a wide window and for a phone
    assert text.count('class="c-accepted"') == 2 * bars
    assert f'aria-label="{days} accepted, 0 failed' in text


@pytest.mark.parametrize("days", ["", "0", "-7", "8", "²", "7 ", "x", "9" * 400])
def test_a_period_that_is_not_offered_is_the_usual_one(log_in, days):
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))

    page = client.get("/", {"days": days})

    assert 'href="?days=14" aria-current="page"' in page.content.decode()


def test_many_reasons_are_summed_up(log_in):
    sent = make_notification(status="completed", sent_at=timezone.now())
    for code in range(10001, 10012):
        make_delivery(sent, status="failed", error_code=code, created_at=timezone.now())

    page = log_in(make_user(permissions.AUDITOR, username="wang.fang")).get("/")

    assert page.content.decode().count("strip-chart") == 8
    assert "3 more deliveries for other reasons. Look at the list" in words(page)


def test_the_latest_count_groups_not_calls(log_in):
    notification = make_notification(
        status="completed", recipients="anna\nben", audience_count=1
    )
    group = make_group()
    for portion in (1, 2):
        make_delivery(notification, group, portion=portion, status="accepted")

    page = log_in(make_user(permissions.AUDITOR, username="wang.fang")).get("/")

    assert "2026-03-02 09:30:00" in words(page)
    assert "lin.mei 1 Finished" in words(page)


def test_without_the_permission_for_the_history_there_are_no_figures(log_in):
    sent_today("failed")

    page = log_in(make_user(permissions.GROUP_ADMINISTRATOR, username="zhao")).get("/")

    assert "Welcome. Choose a page from the menu." in words(page)
    assert links(page) == []


def test_as_many_queries_with_three_notifications_as_with_one(log_in):
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    SendingSwitch.objects.create(pk=1)
    counts = []
    for times in (1, 2):
        for _n in range(times):
            sent_today("accepted", "failed", "unconfirmed")
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        counts.append(len(queries))

    assert Delivery.objects.count() == 9
    assert counts[0] == counts[1] == 8
