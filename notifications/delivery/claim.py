"""Claiming: taking due deliveries for sending, inside the worker's transaction.

The claim marks the row (owner, attempt number, time) and must be committed before the
first byte of the call leaves. Whoever finds such a mark of a dead worker knows that
the call may have been made.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from notifications.models import Delivery, Notification


@dataclass(frozen=True, slots=True)
class Claim:
    """One call to make, with all that a sender thread needs: it reads no rows."""

    delivery_id: int
    notification_id: int
    attempt: int
    group_id: str
    group_type: str
    recipients: tuple[str, ...] | None
    content: str
    slot: float  # seconds of the engine's clock


def due(now: datetime) -> bool:
    """Whether a claim would find anything. A read without a lock, for idle workers."""
    return Delivery.objects.filter(
        status=Delivery.Status.QUEUED,
        not_before__lte=now,
        notification__status=Notification.Status.SENDING,
    ).exists()


def claim(worker_id: int, limit: int, now: datetime) -> list[Delivery]:
    """Mark up to ``limit`` due deliveries as sending by ``worker_id``.

    Running notifications take turns, so that a short one does not wait behind one to
    100,000 groups. The rows come back with ``notification`` loaded.
    """
    running = list(
        Notification.objects.filter(status=Notification.Status.SENDING).order_by("id")
    )
    found: list[Delivery] = []
    for place, notification in enumerate(running):
        # What this one leaves of its share goes to those after it.
        share = -(-(limit - len(found)) // (len(running) - place))
        rows = list(
            Delivery.objects.filter(
                notification_id=notification.pk,
                status=Delivery.Status.QUEUED,
                not_before__lte=now,
            )
            .order_by("not_before", "id")
            .select_for_update(skip_locked=True)[:share]
        )
        for row in rows:
            row.notification = notification
        found += rows
    _mark(found, worker_id, now)
    return found


def _mark(rows: list[Delivery], worker_id: int, now: datetime) -> None:
    if not rows:
        return
    taken = Delivery.objects.filter(
        pk__in=[row.pk for row in rows], status=Delivery.Status.QUEUED
    ).update(
        status=Delivery.Status.SENDING,
        owner=worker_id,
        claimed_at=now,
        attempt_count=F("attempt_count") + 1,
    )
    if taken != len(rows):
        raise RuntimeError(
            f"Worker {worker_id} claimed {len(rows)} deliveries but marked {taken}: "
            f"another process holds some of them."
        )
    for row in rows:
        row.attempt_count += 1


def as_claim(row: Delivery, slot: float) -> Claim:
    """The claimed row as the order that a sender thread carries out at ``slot``."""
    recipients = row.recipient_ids
    return Claim(
        delivery_id=row.pk,
        notification_id=row.notification_id,
        attempt=row.attempt_count,
        group_id=row.group_id,
        group_type=row.group_type,
        recipients=tuple(recipients) if recipients else None,
        content=row.notification.content,
        slot=slot,
    )
