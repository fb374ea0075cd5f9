"""Recovery: rows that a dead worker or a clock that was set back left behind.

A row that is sending without a living owner may or may not have been called: it
becomes unconfirmed, with an attempt that says so. It is never called again by itself.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F

from notifications.delivery import worker_lock
from notifications.delivery.retry import LONGEST_BACKOFF
from notifications.models import Attempt, Delivery, Notification, Worker
from notifications.rate_limit.clock import EngineClock
from notifications.tencent.outcomes import Reason

# Must exceed the longest backoff, and by so much that workers whose clocks differ do not
# cut each other's backoffs short. A later ``not_before`` means that the clock was set back.
LONGEST_WAIT = timedelta(seconds=5 * LONGEST_BACKOFF)


def give_up_lost_rows(clock: EngineClock, worker_id: int, now: datetime) -> int:
    """Declare rows of dead workers unconfirmed. Returns how many."""
    for worker in Worker.objects.dead(clock.now(), clock.boot_id):
        if worker_lock.fence_off(worker.pk):
            Worker.objects.filter(pk=worker.pk).update(ended_at=now)
    alive = Worker.objects.filter(ended_at__isnull=True).values("pk")
    lost = list(
        Delivery.objects.filter(status=Delivery.Status.SENDING)
        .exclude(owner__in=alive)
        .select_for_update(skip_locked=True)
    )
    if not lost:
        return 0
    Attempt.objects.bulk_create(
        Attempt(
            delivery=row,
            number=row.attempt_count,
            worker=worker_id,
            started_at=row.claimed_at or now,
            # The dead worker's clock may have been ahead of ours.
            finished_at=max(now, row.claimed_at or now),
            outcome=Attempt.Outcome.WORKER_LOST,
            reason=Reason.WORKER_LOST.value,
            detail=f"Worker {row.owner} ended while this call was under way.",
        )
        for row in lost
    )
    Delivery.objects.filter(
        pk__in=[row.pk for row in lost], status=Delivery.Status.SENDING
    ).update(
        status=Delivery.Status.UNCONFIRMED,
        reason=Reason.WORKER_LOST.value,
        owner=None,
        finished_at=now,
    )
    return len(lost)


def requeue_undispatched(
    worker_id: int, received: Mapping[int, int], now: datetime
) -> int:
    """After a database error: rows marked as ours that never reached an HTTP thread.

    The commit of a claim may have succeeded although its answer was lost. Such rows
    were provably not called, so they are queued again, or cancelled where their
    notification was stopped meanwhile. ``received`` holds the number of the attempt by
    delivery: the lost commit may have claimed one anew that we still hold a former
    result of. Returns how many.
    """
    ours = Delivery.objects.filter(status=Delivery.Status.SENDING, owner=worker_id)
    lost = [
        pk
        for pk, attempt in ours.values_list("pk", "attempt_count")
        if received.get(pk) != attempt
    ]
    taken_back = ours.filter(pk__in=lost).update(
        status=Delivery.Status.QUEUED,
        owner=None,
        attempt_count=F("attempt_count") - 1,
    )
    Delivery.objects.filter(
        notification__status=Notification.Status.CANCELLED
    ).cancel_waiting(now)
    return taken_back


def repair_clock_jump(now: datetime) -> int:
    """Rows that are due later than any backoff reaches → due now. Returns how many.

    Only a wall clock that was set back since makes such rows; without this they would
    wait for as long as it jumped.
    """
    return Delivery.objects.filter(
        status=Delivery.Status.QUEUED,
        not_before__gt=now + LONGEST_WAIT,
        notification__in=Notification.objects.filter(
            status=Notification.Status.SENDING
        ),
    ).update(not_before=now)
