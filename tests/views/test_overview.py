"""The overview: figures, and links to the deliveries that they count."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import roles
from notifications.models import Delivery
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = pytest.mark.django_db

LIST = "/history/deliveries/"


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def links(response) -> list[str]:
    found = re.findall(r'href="([^"]+)"', response.content.decode())
    return [unescape(link) for link in found if link.startswith(LIST + "?")]


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
    manager = log_in(make_user(roles.COMMUNITY_MANAGER)).get("/")
    auditor = log_in(make_user(roles.AUDITOR, username="wang.fang")).get("/")

    for page in (manager, auditor):
        assert "Sending now Nothing is being sent" in words(page)
        assert "No failures in the last 7 days." in words(page)
    assert "Nothing sent yet. Write the first notification" in words(manager)
    assert "Nothing sent yet." in words(auditor)
    assert "Write the first notification" not in words(auditor)


def test_figures_and_where_they_lead(log_in):
    sent_today("accepted", "accepted", "accepted", "failed", "unconfirmed")
    sent_today("accepted", "queued", status="sending")
    today = timezone.localdate()
    week = today - timedelta(days=6)

    page = log_in(make_user(roles.AUDITOR, username="wang.fang")).get("/")

    assert "Accepted today 4 1 failed" in words(page)
    assert "Last 7 days 66.7 % of 6 deliveries accepted" in words(page)
    assert "Sending now 1 / 2" in words(page)
    assert "Need attention 2 1 failed, 1 not confirmed in the last 7 days" in words(
        page
    )
    assert sorted(links(page)) == sorted(
        [
            f"{LIST}?status=accepted&from={today}",
            f"{LIST}?from={week}",
            f"{LIST}?status=sending",
            f"{LIST}?status=failed&from={week}",
            f"{LIST}?code=10010&from={week}",
            f"{LIST}?reason=no_answer&from={week}",
        ]
    )


def test_the_latest_count_groups_not_calls(log_in):
    notification = make_notification(
        status="completed", recipients="anna\nben", audience_count=1
    )
    group = make_group()
    for portion in (1, 2):
        make_delivery(notification, group, portion=portion, status="accepted")

    page = log_in(make_user(roles.AUDITOR, username="wang.fang")).get("/")

    assert "2026-03-02 09:30:00" in words(page)
    assert "lin.mei 1 Finished" in words(page)


def test_without_the_permission_for_the_history_there_are_no_figures(log_in):
    sent_today("failed")

    page = log_in(make_user(roles.GROUP_ADMINISTRATOR, username="zhao")).get("/")

    assert "Welcome. Choose a page from the menu." in words(page)
    assert links(page) == []


def test_as_many_queries_with_three_notifications_as_with_one(log_in):
    client = log_in(make_user(roles.AUDITOR, username="wang.fang"))
    counts = []
    for times in (1, 2):
        for _n in range(times):
            sent_today("accepted", "failed", "unconfirmed")
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        counts.append(len(queries))

    assert Delivery.objects.count() == 9
    assert counts[0] == counts[1]
