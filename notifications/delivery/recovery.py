"""Recovery of rows after the death of a worker or after a clock was set back.

A row that is sending without a live owner may or may not have been called. It becomes
unconfirmed, with an attempt that records this, and is never retried automatically.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F

from notifications.delivery import worker_lock
from notifications.delivery.retry import MAX_BACKOFF
from notifications.models import Attempt, Delivery, Notification, Worker
from notifications.rate_limit.clock import EngineClock
from notifications.tencent.outcomes import Reason

# Must exceed the longest backoff, with a margin for the differences between the clocks of
# workers. A later ``not_before`` means that the clock was set back.
MAX_WAIT = timedelta(seconds=5 * MAX_BACKOFF)


def give_up_lost_rows(clock: EngineClock, worker_id: int, now: datetime) -> int:
    """Mark rows of dead workers as unconfirmed. Return how many."""
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
            # The clock of the dead worker may have been ahead of this one.
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
    """Requeue rows claimed by this worker that never reached an HTTP thread.

    Call it after a database error: the commit of a claim may have succeeded although its
    response was lost. Such rows were provably not called. They are queued again, or
    cancelled where their notification was stopped meanwhile.

    ``received`` maps deliveries to attempt numbers. The lost commit may have claimed a
    delivery again while the worker still holds the result of its previous attempt.
    Returns how many.
    """
    owned = Delivery.objects.filter(status=Delivery.Status.SENDING, owner=worker_id)
    lost = [
        pk
        for pk, attempt in owned.values_list("pk", "attempt_count")
        if received.get(pk) != attempt
    ]
    count = owned.filter(pk__in=lost).update(
        status=Delivery.Status.QUEUED,
        owner=None,
        attempt_count=F("attempt_count") - 1,
    )
    Delivery.objects.filter(
        notification__status=Notification.Status.CANCELLED
    ).cancel_waiting(now)
    return count


def repair_clock_jump(now: datetime) -> int:
    """Make rows due now that are due later than the longest backoff. Return how many.

    Such rows exist only after the wall clock was set back. Without this they would wait
    for as long as the clock was changed.
    """
    return Delivery.objects.filter(
        status=Delivery.Status.QUEUED,
        not_before__gt=now + MAX_WAIT,
        notification__in=Notification.objects.filter(
            status=Notification.Status.SENDING
        ),
    ).update(not_before=now)
