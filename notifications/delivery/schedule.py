"""Scheduled starts and the time after which no call may start."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log
from notifications.delivery.audit_events import EXPIRED, PAUSED, STARTED
from notifications.delivery.finish import finish
from notifications.models import Notification
from notifications.ui.dates import moment


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
            audit_log.write(
                PAUSED, actor, notification=notification.pk, reason=reason.value
            )
        else:
            notification.start()
            audit_log.write(STARTED, actor, notification=notification.pk)
    return len(due)


def stop_expired(now: datetime, actor: str) -> int:
    """Open notifications whose "not after" has passed → cancelled. Returns how many.

    A call that is under way still gets its outcome.
    """
    expired = Notification.objects.filter(
        status__in=Notification.OPEN, not_after__lte=now
    ).select_for_update(skip_locked=True)
    for notification in expired:
        ended: dict[str, Any] = finish(
            notification, now, Notification.StopReason.EXPIRED
        )
        audit_log.write(EXPIRED, actor, notification=notification.pk, **ended)
    return len(expired)


FURTHEST = timedelta(days=366)


def check_start(start: datetime | None) -> None:
    """Raises ``ValidationError`` (field ``start``) for the past or a year ahead."""
    now = timezone.now()
    if start is None:
        return
    if start <= now:
        raise ValidationError(
            {
                "start": _("%(time)s is over. Choose a later time.")
                % {"time": moment(start)}
            }
        )
    if start > now + FURTHEST:
        raise ValidationError(
            {
                "start": _("%(time)s is more than a year ahead.")
                % {"time": moment(start)}
            }
        )


def check_not_after(not_after: datetime | None, start: datetime | None) -> None:
    """Raises ``ValidationError`` (field ``not_after``) when nothing could be sent."""
    if not_after is None:
        return
    if not_after <= timezone.now():
        raise ValidationError(
            {
                "not_after": _("%(time)s is over. Choose a later time.")
                % {"time": moment(not_after)}
            }
        )
    if start is not None and not_after <= start:
        raise ValidationError(
            {
                "not_after": _(
                    "%(time)s is not after the start. Nothing would be sent."
                )
                % {"time": moment(not_after)}
            }
        )
