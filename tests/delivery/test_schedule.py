"""Scheduled starts, late ones, and "not after"."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.delivery.schedule import start_scheduled, stop_expired
from notifications.models import AuditEntry
from tests.factories import make_delivery, make_notification

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def scheduled(start: datetime, **kwargs):
    return make_notification(status="scheduled", scheduled_for=start, **kwargs)


@pytest.mark.parametrize(
    ("start", "status", "actions"),
    [
        (NOW + MINUTE, "scheduled", []),
        (NOW, "sending", ["started"]),
        (NOW - 15 * MINUTE, "sending", ["started"]),
        (NOW - 15 * MINUTE - timedelta(seconds=1), "paused", ["paused"]),
    ],
)
def test_a_scheduled_start(start, status, actions):
    notification = scheduled(start)

    assert start_scheduled(NOW, "worker 7") == len(actions)

    notification.refresh_from_db()
    assert notification.status == status
    entries = AuditEntry.objects.values_list("action", "actor")
    assert list(entries) == [(action, "worker 7") for action in actions]


def test_a_late_one_says_so_and_can_be_started():
    notification = scheduled(NOW - timedelta(hours=1))
    start_scheduled(NOW, "worker 7")

    notification.refresh_from_db()
    assert (notification.paused_reason, notification.sent_at) == ("late", None)

    notification.resume()
    notification.refresh_from_db()
    assert notification.status == "sending"
    assert notification.sent_at is not None


@pytest.mark.parametrize("status", ["scheduled", "sending", "paused"])
def test_what_has_expired_is_stopped(status):
    notification = make_notification(
        status=status, scheduled_for=NOW - MINUTE, not_after=NOW
    )
    waiting = make_delivery(notification)
    refused_before = make_delivery(notification, error_code=60007, attempt_count=1)
    under_way = make_delivery(notification, status="sending")

    assert stop_expired(NOW, "worker 7") == 1

    notification.refresh_from_db()
    assert (notification.status, notification.stop_reason) == ("cancelled", "expired")
    rows = (waiting, refused_before, under_way)
    for row in rows:
        row.refresh_from_db()
    assert [row.status for row in rows] == ["cancelled", "failed", "sending"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("expired", {"cancelled": 1, "failed": 1})


def test_what_has_not_expired_goes_on():
    notification = make_notification(status="sending", not_after=NOW + MINUTE)

    assert stop_expired(NOW, "worker 7") == 0

    notification.refresh_from_db()
    assert notification.status == "sending"
