"""Recovery of rows that a dead worker owned."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from notifications.delivery.recovery import (
    LEASE_CHECKS,
    MAX_WAIT,
    LeaseWatch,
    end_dead_workers,
    give_up_lost_rows,
    repair_clock_jump,
    requeue_undispatched,
)
from notifications.delivery.retry import MAX_BACKOFF
from notifications.models import Delivery, Worker
from tests.factories import make_delivery, make_group, make_notification

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)


def make_worker(*, boot_id: str = "boot", **kwargs) -> Worker:
    return Worker.objects.create(
        name="host:1", boot_id=boot_id, lease=0, heartbeat_at=NOW, **kwargs
    )


def is_dead_after(
    watch: LeaseWatch, me: Worker, other: Worker, *, checks: int, step: float = 0
) -> bool:
    """Whether ``me`` declares ``other`` dead, whose lease changes by ``step``."""
    for _n in range(checks):
        Worker.objects.filter(pk=other.pk).update(lease=F("lease") + step)
        end_dead_workers(watch, "boot", me.pk, NOW)
    other.refresh_from_db()
    return other.ended_at is not None


def test_a_worker_is_dead_when_its_lease_stays_unchanged():
    me, other, watch = make_worker(), make_worker(), LeaseWatch()

    # The first check only remembers the lease.
    assert not is_dead_after(watch, me, other, checks=LEASE_CHECKS)
    assert is_dead_after(watch, me, other, checks=1)
    me.refresh_from_db()
    assert me.ended_at is None  # its own lease is not observed


def test_a_worker_of_an_earlier_boot_is_dead_at_once():
    other = make_worker(boot_id="before the restart")

    assert is_dead_after(LeaseWatch(), make_worker(), other, checks=1)


@pytest.mark.parametrize("step", [1.0, 3600.0, -3600.0])
def test_a_worker_that_renews_its_lease_lives_whatever_the_clock_says(step):
    me, other, watch = make_worker(), make_worker(), LeaseWatch()

    assert not is_dead_after(watch, me, other, checks=30, step=step)


def test_after_a_database_error_others_have_a_whole_lease_to_renew_it():
    me, other, watch = make_worker(), make_worker(), LeaseWatch()
    assert not is_dead_after(watch, me, other, checks=LEASE_CHECKS)

    watch.restart()

    assert not is_dead_after(watch, me, other, checks=LEASE_CHECKS)
    assert is_dead_after(watch, me, other, checks=1)


def test_a_worker_that_died_after_a_renewal_is_dead_a_lease_later():
    me, other, watch = make_worker(), make_worker(), LeaseWatch()
    is_dead_after(watch, me, other, checks=5, step=1)

    assert not is_dead_after(watch, me, other, checks=LEASE_CHECKS - 1)
    assert is_dead_after(watch, me, other, checks=1)


def test_rows_of_a_dead_worker_become_unconfirmed():
    me = make_worker()
    other = make_worker(ended_at=NOW)
    row = make_delivery(status=Delivery.Status.SENDING, owner=other.pk)

    assert give_up_lost_rows(me.pk, NOW) == 1

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


def test_rows_of_a_living_worker_are_left_alone():
    me = make_worker()
    other = make_worker()
    row = make_delivery(status=Delivery.Status.SENDING, owner=other.pk)

    assert give_up_lost_rows(me.pk, NOW) == 0

    row.refresh_from_db()
    assert (row.status, row.owner) == ("sending", other.pk)


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


@pytest.mark.parametrize(
    ("group_type", "options", "is_queried"),
    [
        ("Public", "", True),
        ("Community", '{"mention_all": true}', True),
        ("Public", '{"online_only": true}', False),
        ("AVChatRoom", "", False),
    ],
)
def test_tencent_is_queried_about_the_lost_messages_it_keeps(
    settings, group_type, options, is_queried
):
    settings.IM_QUERY_AFTER_SECONDS = 30
    notification = make_notification(
        status="sending", channel="group_message", message_options=options
    )
    group = make_group(type=group_type)
    message = make_delivery(notification, group, status="sending", owner=99)
    notice = make_delivery(status="sending", owner=99)

    assert give_up_lost_rows(1, NOW) == 2

    for row in (message, notice):
        row.refresh_from_db()
        assert (row.status, row.reason) == ("unconfirmed", "worker_lost")
    expected = NOW + timedelta(seconds=30) if is_queried else None
    assert (message.next_query_at, notice.next_query_at) == (expected, None)


def test_a_message_without_a_call_keeps_its_number():
    worker = make_worker()
    notification = make_notification(status="sending", channel="group_message")
    row = make_delivery(notification, status="sending", owner=worker.pk, random=5)

    assert requeue_undispatched(worker.pk, {}, NOW) == 1

    row.refresh_from_db()
    assert (row.status, row.attempt_count, row.random) == ("queued", 0, 5)


def test_a_query_does_not_wait_for_the_time_by_which_the_clock_was_set_back(settings):
    settings.IM_QUERY_AFTER_SECONDS = 30
    rows = [
        make_delivery(
            make_notification(status="completed", channel="group_message"),
            make_group(),
            status="unconfirmed",
            next_query_at=NOW + wait,
        )
        for wait in (timedelta(hours=1), timedelta(days=1))
    ]

    assert repair_clock_jump(NOW) == 1

    for row, seconds in zip(rows, (3600, 30), strict=True):
        row.refresh_from_db()
        assert row.next_query_at == NOW + timedelta(seconds=seconds)
