"""The end of a notification: completed or cancelled, here and nowhere else."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from notifications.models import Delivery, Notification, WrongState


def finish(
    notification: Notification,
    now: datetime,
    reason: Notification.StopReason | None = None,
) -> dict[str, int]:
    """A notification has ended: completed, or cancelled where there is a ``reason``.

    Whatever else an end brings about belongs here. Call it inside a transaction.
    Raises ``WrongState``. Returns how many waiting deliveries ended in which way;
    calls under way still get their outcome.
    """
    if reason is None:
        notification.complete()
        return {}
    notification.cancel(reason)
    return notification.deliveries.cancel_waiting(now)


def complete_finished(now: datetime) -> int:
    """Running notifications without an open delivery → completed. Returns how many."""
    # One condition per status: each is answered by an index of open rows alone.
    rows = Delivery.objects.filter(notification_id=OuterRef("pk"))
    finished = Notification.objects.filter(
        ~Exists(rows.filter(status=Delivery.Status.QUEUED)),
        ~Exists(rows.filter(status=Delivery.Status.SENDING)),
        status=Notification.Status.SENDING,
    )
    count = 0
    for notification in finished:
        try:
            with transaction.atomic():
                finish(notification, now)
        except WrongState:
            continue  # another worker was faster, or a person stopped or paused it
        count += 1
    return count
