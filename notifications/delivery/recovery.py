"""Recovery of rows after the death of a worker or after a clock was set back.

A row that is sending without a live owner may or may not have been called. It becomes
unconfirmed, with an attempt that records this, and is never retried automatically.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from notifications.delivery import worker_lock
from notifications.delivery.channels import CHANNELS
from notifications.delivery.channels.base import Message, Target
from notifications.delivery.retry import MAX_BACKOFF
from notifications.models import Attempt, Delivery, Notification, Worker
from notifications.tencent.outcomes import Reason

# Must exceed the longest backoff, with a margin for the differences between the clocks of
# workers. A later ``not_before`` means that the clock was set back.
MAX_WAIT = timedelta(seconds=5 * MAX_BACKOFF)

# Likewise for ``next_query_at``: no pause between queries is longer than an hour.
MAX_QUERY_WAIT = timedelta(hours=2)

# The lease: a worker that renews it every second is dead after this number of checks, a
# second or more apart, that found it unchanged.
LEASE_CHECKS = 10


class LeaseWatch:
    """One worker's observation of the leases of the others.

    It compares no clocks, because a clock can be set, and counts no time in which this
    worker did not run. Call ``restart`` after a database error: the others had the same
    error and get a whole lease for their next renewal.
    """

    def __init__(self) -> None:
        self._checks: dict[int, tuple[float, int]] = {}  # id → lease, unchanged checks

    def restart(self) -> None:
        self._checks.clear()

    def expired(self, leases: Mapping[int, float]) -> list[int]:
        """Compare with the previous check. Return the ids of dead workers."""
        checks = {}
        for pk, lease in leases.items():
            previous, count = self._checks.get(pk, (lease, -1))
            checks[pk] = (lease, count + 1 if lease == previous else 0)
        self._checks = checks
        return [pk for pk, (_lease, count) in checks.items() if count >= LEASE_CHECKS]


def end_dead_workers(
    watch: LeaseWatch, boot_id: str, worker_id: int, now: datetime
) -> None:
    """Declare workers dead whose lease expired, or that ran before a restart."""
    others = Worker.objects.filter(ended_at__isnull=True).exclude(pk=worker_id)
    of_earlier_boot = others.exclude(boot_id=boot_id).values_list("pk", flat=True)
    dead = {*of_earlier_boot, *watch.expired(dict(others.values_list("pk", "lease")))}
    for pk in sorted(dead):
        end_dead_worker(pk, now)


def end_dead_worker(worker_id: int, now: datetime) -> bool:
    """Declare a worker dead. Return ``False`` while its database session still ends."""
    is_fenced_off = worker_lock.fence_off(worker_id)
    if is_fenced_off:
        Worker.objects.filter(pk=worker_id).update(ended_at=now)
    return is_fenced_off


def give_up_lost_rows(worker_id: int, now: datetime) -> int:
    """Mark rows of ended workers as unconfirmed. Return how many."""
    alive = Worker.objects.filter(ended_at__isnull=True).values("pk")
    lost = list(
        Delivery.objects.filter(status=Delivery.Status.SENDING)
        .exclude(owner__in=alive)
        .order_by("pk")
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
    # Without the audience, which may take megabytes.
    notifications = Notification.objects.only("content", "message_options").in_bulk(
        {row.notification_id for row in lost}
    )
    by_query_time = defaultdict(list)
    for row in lost:
        message = Message.of(notifications[row.notification_id])
        next_query_at = CHANNELS[row.channel].first_query_at(
            message, Target.of(row), ended_at=now
        )
        by_query_time[next_query_at].append(row.pk)
    for next_query_at, ids in by_query_time.items():
        Delivery.objects.filter(pk__in=ids, status=Delivery.Status.SENDING).update(
            status=Delivery.Status.UNCONFIRMED,
            reason=Reason.WORKER_LOST.value,
            next_query_at=next_query_at,
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
    """Make rows due now that are due later than the longest wait. Return how many.

    Such rows exist only after the wall clock was set back. Without this they would wait
    for as long as the clock was changed.
    """
    # The call may just have been made: Tencent is given the time to store the message.
    query_at = now + timedelta(seconds=settings.IM_QUERY_AFTER_SECONDS)
    open_queries = Delivery.objects.filter(next_query_at__gt=now + MAX_QUERY_WAIT)
    return Delivery.objects.filter(
        status=Delivery.Status.QUEUED,
        not_before__gt=now + MAX_WAIT,
        notification__in=Notification.objects.filter(
            status=Notification.Status.SENDING
        ),
    ).update(not_before=now) + open_queries.update(next_query_at=query_at)
