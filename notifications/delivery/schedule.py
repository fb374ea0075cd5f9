"""Scheduled starts and the time after which no call may start."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log
from notifications.delivery.audit_events import EXPIRED, PAUSED, STARTED
from notifications.delivery.finish import finish
from notifications.delivery.lost_rights import pause_without_right
from notifications.models import Notification
from notifications.ui.dates import moment


def start_scheduled(now: datetime, actor: str) -> int:
    """Start scheduled notifications that are due. Return how many were due.

    A notification that is more than 15 minutes late, for example after an outage, is
    paused instead. Its text may be outdated by then, so a person decides. So is one
    whose sender may no longer send.
    """
    pause_without_right(actor, skip_locked=True)
    due = (
        Notification.objects.filter(
            status=Notification.Status.SCHEDULED, scheduled_for__lte=now
        )
        .order_by("pk")
        .select_for_update(skip_locked=True)
    )
    for notification in due:
        if notification.start_is_late(now):
            reason = Notification.PauseReason.LATE
            notification.pause(reason)
            audit_log.write(
                PAUSED, actor, notification=notification.pk, reason=reason.value
            )
        else:
            notification.start()
            audit_log.write(STARTED, actor, notification=notification.pk)
    return len(due)


def stop_expired(now: datetime, actor: str) -> int:
    """Cancel open notifications whose "not after" has passed. Return how many.

    Calls in progress still get their outcome.
    """
    expired = (
        Notification.objects.filter(status__in=Notification.OPEN, not_after__lte=now)
        .order_by("pk")
        .select_for_update(skip_locked=True)
    )
    for notification in expired:
        counts: dict[str, Any] = finish(
            notification, now, Notification.StopReason.EXPIRED
        )
        audit_log.write(EXPIRED, actor, notification=notification.pk, **counts)
    return len(expired)


MAX_AHEAD = timedelta(days=366)


def check_start(start: datetime | None) -> None:
    """Raise ``ValidationError`` (field ``start``) for the past or over a year ahead."""
    now = timezone.now()
    if start is None:
        return
    if start <= now:
        problem = _("%(time)s is over. Choose a later time.")
    elif start > now + MAX_AHEAD:
        problem = _("%(time)s is more than a year ahead.")
    else:
        return
    raise ValidationError({"start": problem % {"time": moment(start)}})


def check_not_after(not_after: datetime | None, start: datetime | None) -> None:
    """Raise ``ValidationError`` (field ``not_after``) when nothing could be sent."""
    if not_after is None:
        return
    if not_after <= timezone.now():
        problem = _("%(time)s is over. Choose a later time.")
    elif start is not None and not_after <= start:
        problem = _("%(time)s is not after the start. Nothing would be sent.")
    else:
        return
    raise ValidationError({"not_after": problem % {"time": moment(not_after)}})
