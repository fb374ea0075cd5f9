"""Recovery of rows that a dead worker owned."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.delivery.recovery import (
    MAX_WAIT,
    give_up_lost_rows,
    repair_clock_jump,
    requeue_undispatched,
)
from notifications.delivery.retry import MAX_BACKOFF
from notifications.models import Delivery, Worker
from notifications.rate_limit.clock import EngineClock
from tests.factories import make_delivery, make_notification

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
CLOCK = EngineClock("boot", lambda: 1000.0)


def make_worker(*, lease: float = 999.0, boot_id: str = "boot", **kwargs) -> Worker:
    return Worker.objects.create(
        name="host:1", boot_id=boot_id, lease=lease, heartbeat_at=NOW, **kwargs
    )


@pytest.mark.parametrize(
    "dead",
    [
        {"lease": 989.9},  # 10.1 s old
        {"boot_id": "before the restart"},
        {"ended_at": NOW},
    ],
)
def test_rows_of_a_dead_worker_become_unconfirmed(dead):
    me = make_worker()
    other = make_worker(**dead)
    row = make_delivery(status=Delivery.Status.SENDING, owner=other.pk)

    assert give_up_lost_rows(CLOCK, me.pk, NOW) == 1

    row.refresh_from_db()
    assert (row.status, row.reason) == ("unconfirmed", "worker_lost")
    assert (row.owner, row.finished_at) == (None, NOW)
    attempt = row.attempts.get()
    assert (attempt.outcome, attempt.number, attempt.worker) == (
        "worker_lost",
        1,
        me.pk,
    )
    assert attempt.detail == (f"Worker {other.pk} ended while this call was under way.")
    other.refresh_from_db()
    assert other.ended_at == NOW


@pytest.mark.parametrize("lease", [990.0, 1000.0])
def test_rows_of_a_living_worker_are_left_alone(lease):
    me = make_worker()
    other = make_worker(lease=lease)
    row = make_delivery(status=Delivery.Status.SENDING, owner=other.pk)

    assert give_up_lost_rows(CLOCK, me.pk, NOW) == 0

    row.refresh_from_db()
    assert (row.status, row.owner) == ("sending", other.pk)
    other.refresh_from_db()
    assert other.ended_at is None


def test_rows_that_never_reached_a_thread_are_queued_again():
    received = make_delivery(status=Delivery.Status.SENDING, owner=7)
    lost = make_delivery(status=Delivery.Status.SENDING, owner=7)
    foreign = make_delivery(status=Delivery.Status.SENDING, owner=8)

    assert requeue_undispatched(7, {received.pk: 1}, NOW) == 1

    lost.refresh_from_db()
    assert (lost.status, lost.owner, lost.attempt_count) == ("queued", None, 0)
    for row in (received, foreign):
        row.refresh_from_db()
        assert row.status == "sending"


def test_a_claim_anew_whose_commit_was_lost_is_taken_back():
    """The worker still holds the result of the first attempt, which was written."""
    row = make_delivery(status=Delivery.Status.SENDING, owner=7, attempt_count=2)

    assert requeue_undispatched(7, {row.pk: 1}, NOW) == 1

    row.refresh_from_db()
    assert (row.status, row.attempt_count) == ("queued", 1)


def test_rows_taken_back_under_a_stopped_notification_are_cancelled():
    notification = make_notification(status="cancelled")
    row = make_delivery(notification, status=Delivery.Status.SENDING, owner=7)

    requeue_undispatched(7, {}, NOW)

    row.refresh_from_db()
    assert (row.status, row.finished_at) == ("cancelled", NOW)


def test_a_row_in_the_longest_backoff_waits_and_one_due_later_is_due_now():
    longest = NOW + timedelta(seconds=MAX_BACKOFF)
    # Set by a worker whose clock is 48 seconds ahead.
    ahead = NOW + MAX_WAIT
    later = ahead + timedelta(microseconds=1)
    notification = make_notification(status="sending")
    for due in (longest, ahead, later):
        make_delivery(notification, not_before=due)
    paused = make_delivery(make_notification(status="paused"), not_before=later)

    assert longest < ahead
    assert repair_clock_jump(NOW) == 1

    rows = notification.deliveries.order_by("pk")
    assert [row.not_before for row in rows] == [longest, ahead, NOW]
    paused.refresh_from_db()
    assert paused.not_before == later
