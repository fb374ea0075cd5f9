"""Recovery: rows that a dead worker left behind, and notifications that are done.

A row that is sending without a living owner may or may not have been called: it
becomes unconfirmed, with an attempt that says so. It is never called again by itself.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, F, OuterRef

from notifications.im.outcomes import Reason
from notifications.models import Attempt, Delivery, Notification, Worker

from .clock import EngineClock


def give_up_lost_rows(clock: EngineClock, worker_id: int, now: datetime) -> int:
    """Declare rows of dead workers unconfirmed. Returns how many."""
    alive = Worker.objects.alive(clock.now(), clock.boot_id).values("pk")
    lost = list(
        Delivery.objects.filter(status=Delivery.Status.SENDING)
        .exclude(owner__in=alive)
        .select_for_update(skip_locked=True)
    )
    Worker.objects.dead(clock.now(), clock.boot_id).update(ended_at=now)
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


def take_back_unreceived(
    worker_id: int, received: Collection[int], now: datetime
) -> int:
    """After a database error: rows marked as ours that never reached a sender thread.

    The commit of a claim may have succeeded although its answer was lost. Such rows
    were provably not called, so they are queued again, or cancelled where their
    notification was stopped meanwhile. Returns how many.
    """
    taken_back = (
        Delivery.objects.filter(status=Delivery.Status.SENDING, owner=worker_id)
        .exclude(pk__in=received)
        .update(
            status=Delivery.Status.QUEUED,
            owner=None,
            attempt_count=F("attempt_count") - 1,
        )
    )
    Delivery.objects.filter(
        notification__status=Notification.Status.CANCELLED
    ).cancel_waiting(now)
    return taken_back


def complete_finished() -> int:
    """Running notifications without an open delivery → completed. Returns how many."""
    open_rows = Delivery.objects.filter(
        notification_id=OuterRef("pk"), status__in=list(Delivery.OPEN)
    )
    finished = list(
        Notification.objects.filter(
            ~Exists(open_rows), status=Notification.Status.SENDING
        )
    )
    for notification in finished:
        notification.complete()
    return len(finished)
