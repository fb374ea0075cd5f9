"""The controls over a notification that was sent, each written down with who and when."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from notifications import roles
from notifications.models import AuditEntry, Delivery, Notification
from notifications.record import trail

from .permissions import require, require_own
from .texts import clean_note
from .times import check_not_after, check_start


@transaction.atomic
def pause(user: User, notification_id: int, *, note: str = "") -> Notification:
    """Hold a running notification; calls already under way still end.

    ``note`` says why, for the colleagues. Raises ``PermissionDenied``, ``WrongState``,
    ``ValidationError`` for a note that cannot be.
    """
    notification = _controlled(user, notification_id)
    note = clean_note(note)
    reason = Notification.PauseReason.PERSON
    notification.pause(reason, by=user.get_username(), note=note)
    _write(AuditEntry.Action.PAUSED, user, notification, note=note)
    return notification


@transaction.atomic
def resume(user: User, notification_id: int) -> Notification:
    """Go on with a paused notification. Raises ``PermissionDenied``, ``WrongState``."""
    notification = _controlled(user, notification_id)
    notification.resume()
    Delivery.objects.filter(
        notification=notification, status=Delivery.Status.QUEUED
    ).update(not_sent_streak=0, not_before=timezone.now())
    _write(AuditEntry.Action.RESUMED, user, notification)
    return notification


@transaction.atomic
def stop(user: User, notification_id: int) -> Notification:
    """Cancel what is still waiting; calls already under way still end.

    A waiting delivery that was refused before keeps that verdict: it ends failed. A
    scheduled notification is stopped the same way. Raises ``PermissionDenied``,
    ``WrongState``.
    """
    notification = _controlled(user, notification_id)
    notification.cancel()
    ended = notification.deliveries.cancel_waiting(timezone.now())
    _write(AuditEntry.Action.STOPPED, user, notification, **ended)
    return notification


@transaction.atomic
def reschedule(
    user: User, notification_id: int, *, start: datetime, not_after: datetime | None
) -> Notification:
    """Another time for a scheduled notification.

    Raises ``PermissionDenied``, ``WrongState`` when it has started, ``ValidationError``
    for a time that cannot be.
    """
    notification = _controlled(user, notification_id)
    check_start(start)
    check_not_after(not_after, start)
    before = notification.scheduled_for
    notification.reschedule(start, not_after=not_after)
    _write(
        AuditEntry.Action.SCHEDULED,
        user,
        notification,
        start=start.isoformat(),
        before=before and before.isoformat(),
        not_after=not_after and not_after.isoformat(),
    )
    return notification


def _controlled(user: User, notification_id: int) -> Notification:
    require(user, roles.SEND)
    notification = Notification.objects.select_for_update().get(pk=notification_id)
    require_own(user, notification)
    return notification


def _write(
    action: AuditEntry.Action, user: User, notification: Notification, **detail: Any
) -> None:
    trail.write(action, user.get_username(), notification=notification.pk, **detail)
