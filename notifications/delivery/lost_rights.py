"""Pausing the notifications of people who may no longer send."""

from django.db.models.functions import Coalesce

from notifications import audit_log, permissions
from notifications.delivery.audit_events import PAUSED
from notifications.models import Notification


def pause_without_right(actor: str, *, skip_locked: bool = False) -> None:
    """Pause what is scheduled or running, if the person in control may not send.

    Call it in the transaction of every change that takes a right away. The worker calls
    it once a second as well, for changes outside of the console. Calls in progress still
    complete; a colleague can take the notification over and continue it, or stop it.
    """
    may_send = permissions.users_with(permissions.SEND).order_by()
    lost = (
        Notification.objects.filter(
            status__in=[Notification.Status.SCHEDULED, Notification.Status.SENDING]
        )
        .alias(controller=Coalesce("controlled_by_id", "sender_id"))
        .exclude(controller__in=may_send.values("pk"))
    )
    reason = Notification.PauseReason.SENDER_LOST
    for notification in lost.order_by("pk").select_for_update(skip_locked=skip_locked):
        notification.pause(reason)
        audit_log.write(
            PAUSED,
            actor,
            notification=notification.pk,
            reason=reason.value,
            controller=notification.controller_name,
        )
