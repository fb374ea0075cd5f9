"""The only module that ends a notification, as completed or cancelled."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from notifications import audit_log
from notifications.delivery.audit_events import FINISHED_PAUSED
from notifications.models import Delivery, Notification, WrongState


def finish(
    notification: Notification,
    now: datetime,
    reason: Notification.StopReason | None = None,
) -> dict[str, int]:
    """Complete a notification, or cancel it for ``reason``.

    Every other effect of the end belongs here. Call it inside a transaction. Raises
    ``WrongState``. Returns the number of queued deliveries by their new status; calls in
    progress still get their outcome.
    """
    if reason is None:
        notification.complete()
        return {}
    notification.cancel(reason)
    return notification.deliveries.cancel_waiting(now)


def complete_finished(now: datetime, actor: str) -> int:
    """Complete notifications without an open delivery. Return how many.

    A paused one as well: it was paused while its last calls were in progress, and nothing
    is left to continue.
    """
    # One condition per status, so that each uses a partial index of open rows only.
    rows = Delivery.objects.filter(notification_id=OuterRef("pk"))
    finished = Notification.objects.filter(
        ~Exists(rows.filter(status=Delivery.Status.QUEUED)),
        ~Exists(rows.filter(status=Delivery.Status.SENDING)),
        status__in=[Notification.Status.SENDING, Notification.Status.PAUSED],
    )
    count = 0
    for pk in list(finished.values_list("pk", flat=True)):
        try:
            with transaction.atomic():
                notification = Notification.objects.select_for_update().get(pk=pk)
                was_paused = notification.status == Notification.Status.PAUSED
                finish(notification, now)
                if was_paused:
                    audit_log.write(FINISHED_PAUSED, actor, notification=pk)
        except WrongState:
            continue  # changed by another worker or a user meanwhile
        count += 1
    return count
