"""What a moment of the calendar asks for: scheduled starts, and "not after"."""

from datetime import datetime
from typing import Any

from notifications.models import AuditEntry, Notification
from notifications.record import trail


def start_scheduled(now: datetime, actor: str) -> int:
    """Scheduled notifications whose time has come → sending. Returns how many.

    One that is more than 15 minutes late, for example after an outage, is paused
    instead: what was right at eight may be wrong at noon, so a person decides.
    """
    due = Notification.objects.filter(
        status=Notification.Status.SCHEDULED, scheduled_for__lte=now
    ).select_for_update(skip_locked=True)
    for notification in due:
        if notification.start_is_late(now):
            reason = Notification.PauseReason.LATE
            notification.pause(reason)
            action = AuditEntry.Action.PAUSED
            trail.write(
                action, actor, notification=notification.pk, reason=reason.value
            )
        else:
            notification.start()
            trail.write(AuditEntry.Action.STARTED, actor, notification=notification.pk)
    return len(due)


def stop_expired(now: datetime, actor: str) -> int:
    """Open notifications whose "not after" has passed → cancelled. Returns how many.

    A call that is under way still gets its outcome.
    """
    expired = Notification.objects.filter(
        status__in=Notification.OPEN, not_after__lte=now
    ).select_for_update(skip_locked=True)
    for notification in expired:
        notification.cancel(Notification.StopReason.EXPIRED)
        ended: dict[str, Any] = notification.deliveries.cancel_waiting(now)
        trail.write(
            AuditEntry.Action.EXPIRED, actor, notification=notification.pk, **ended
        )
    return len(expired)
