"""Claiming: taking due deliveries for sending, inside the worker's transaction.

The claim marks the row (owner, attempt number, time) and must be committed before the
first byte of the call leaves. Whoever finds such a mark of a dead worker knows that
the call may have been made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from notifications.models import Delivery, Notification, SendingSwitch

from .retry import Past

# Of a delivery: what a Claim is made of; the last three are those of Past.
COLUMNS = (
    "pk",
    "attempt_count",
    "group_id",
    "group_type",
    "recipients",
    "rejection_count",
    "not_sent_streak",
    "error_code",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One call to make, with all that a sender thread needs: it reads no rows.

    ``past`` is what earlier attempts came to; it stands still while the claim lasts.
    """

    delivery_id: int
    notification_id: int
    attempt: int
    group_id: str
    group_type: str
    # Never in a log, where a claim may be named.
    recipients: tuple[str, ...] | None = field(repr=False)
    content: str = field(repr=False)
    slot: float  # seconds of this machine's steady clock
    past: Past

    @property
    def about(self) -> dict[str, int]:
        """Names the delivery in a line of the log."""
        return {"notification": self.notification_id, "delivery": self.delivery_id}


def running(now: datetime) -> QuerySet[Notification]:
    """The notifications whose calls are to be made; none while all sending is off."""
    switched_off = SendingSwitch.objects.filter(is_off=True)
    return Notification.objects.filter(
        ~Exists(switched_off),
        Q(not_after__isnull=True) | Q(not_after__gt=now),
        status=Notification.Status.SENDING,
    )


def due(now: datetime) -> bool:
    """Whether a claim would find anything. A read without a lock, for idle workers."""
    waiting = Delivery.objects.filter(
        notification_id=OuterRef("pk"),
        status=Delivery.Status.QUEUED,
        not_before__lte=now,
    )
    return running(now).filter(Exists(waiting)).exists()


def claim(
    worker_id: int, slots: Sequence[float], now: datetime, *, last_served: int = 0
) -> list[Claim]:
    """Mark due deliveries as sending by ``worker_id``, at most one for each slot.

    Running notifications take turns, so that a short one does not wait behind one to
    100,000 groups: whoever comes after ``last_served``, a notification, is first.
    """
    # No more columns than are needed: the choice of groups alone may be megabytes.
    found_running = running(now).order_by("id").values_list("pk", "content")
    takers = sorted(
        found_running, key=lambda taker: (taker[0] <= last_served, taker[0])
    )
    found: list[Claim] = []
    for place, (notification_id, content) in enumerate(takers):
        # What this one leaves of its share goes to those after it.
        share = -(-(len(slots) - len(found)) // (len(takers) - place))
        if not share:
            break
        rows = (
            Delivery.objects.filter(
                notification_id=notification_id,
                status=Delivery.Status.QUEUED,
                not_before__lte=now,
            )
            .order_by("not_before", "id")
            .select_for_update(skip_locked=True)
            .values_list(*COLUMNS)[:share]
        )
        for pk, attempts, group_id, group_type, recipients, *past in rows:
            found.append(
                Claim(
                    delivery_id=pk,
                    notification_id=notification_id,
                    attempt=attempts + 1,
                    group_id=group_id,
                    group_type=group_type,
                    recipients=tuple(recipients.splitlines()) or None,
                    content=content,
                    slot=slots[len(found)],
                    past=Past(*past),
                )
            )
    _mark([order.delivery_id for order in found], worker_id, now)
    return found


def _mark(ids: Sequence[int], worker_id: int, now: datetime) -> None:
    if not ids:
        return
    taken = Delivery.objects.filter(pk__in=ids, status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.SENDING,
        owner=worker_id,
        claimed_at=now,
        attempt_count=F("attempt_count") + 1,
    )
    if taken != len(ids):
        raise RuntimeError(
            f"Worker {worker_id} claimed {len(ids)} deliveries but marked {taken}: "
            f"another process holds some of them."
        )
