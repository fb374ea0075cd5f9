"""After restoring an older backup: nothing that was open then may be called by itself.

What was queued when the backup was made may have been called since, and nothing in the
database can tell. So every open delivery becomes unconfirmed, for a person to decide.
"""

import uuid

from django.db import transaction
from django.utils import timezone

from notifications.im.outcomes import Reason
from notifications.models import AuditEntry, Delivery, Installation, Notification
from notifications.record import trail


@transaction.atomic
def quarantine_restored(actor: str) -> tuple[int, int]:
    """Pause what is open, mark its open deliveries unconfirmed, let workers start again.

    ``actor`` is who ran the command. Returns how many notifications and deliveries.
    """
    now = timezone.now()
    notifications = list(
        Notification.objects.filter(status__in=Notification.OPEN)
        .select_for_update()
        .order_by("pk")
    )
    total = 0
    for notification in notifications:
        if notification.status != Notification.Status.PAUSED:
            notification.pause(Notification.PauseReason.RESTORED)
        count = notification.deliveries.open().update(
            status=Delivery.Status.UNCONFIRMED,
            reason=Reason.RESTORED.value,
            owner=None,
            finished_at=now,
        )
        trail.write(
            AuditEntry.Action.QUARANTINED,
            actor,
            notification=notification.pk,
            deliveries=count,
        )
        total += count
    installation = Installation.present()
    # Under another name, what workers remember of the newer database no longer counts.
    installation.key = uuid.uuid4()
    installation.save()
    return len(notifications), total
