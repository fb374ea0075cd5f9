"""Controls of sent notifications, and the switch for all sending.

A notification is controlled by its sender, or by the colleague who took it over. Every
colleague who may send can pause it, stop it, and take it over.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.delivery.audit_events import (
    ALL_ALLOWED,
    ALL_STOPPED,
    PAUSED,
    QUARANTINED,
    RESOLVED,
    RESUMED,
    SCHEDULED,
    STOPPED,
    TAKEN_OVER,
)
from notifications.delivery.finish import finish
from notifications.delivery.schedule import check_not_after, check_start
from notifications.models import AuditEntry, Delivery, Notification, SendingSwitch
from notifications.models.workers import wake_workers
from notifications.permissions import require, require_control
from notifications.ui.made_from import fingerprint, refuse_old_page
from notifications.ui.text import clean_note


@transaction.atomic
def pause(user: User, notification_id: int, *, note: str = "") -> Notification:
    """Pause a notification of any colleague; calls in progress still complete.

    ``note`` is the reason, for colleagues. Raises ``PermissionDenied``, ``WrongState``,
    ``ValidationError`` for an invalid note.
    """
    notification = _lock(user, notification_id)
    note = clean_note(note)
    reason = Notification.PauseReason.PERSON
    notification.pause(reason, by=user.get_username(), note=note)
    _write(PAUSED, user, notification, note=note)
    return notification


@transaction.atomic
def resume(
    user: User, notification_id: int, *, shown: str | None = None
) -> Notification:
    """Resume a paused notification.

    ``shown`` is the ``pause_shown`` of the page: a later pause may have another reason.
    Raises ``PermissionDenied``, ``WrongState``, ``ChangedSinceShown``.
    """
    notification = _lock_controlled(user, notification_id)
    refuse_old_page(shown, _pause(notification))
    notification.resume()
    Delivery.objects.filter(
        notification=notification, status=Delivery.Status.QUEUED
    ).update(not_sent_streak=0, not_before=timezone.now())
    _write(RESUMED, user, notification)
    return notification


def pause_shown(notification: Notification) -> str:
    """Identifies the present pause for the form that ends it."""
    return fingerprint(_pause(notification))


def _pause(notification: Notification) -> int | None:
    """The number of the audit entry of the latest pause."""
    entries = AuditEntry.objects.filter(
        notification_number=notification.pk,
        action__in=[PAUSED.word, QUARANTINED.word],
    )
    return entries.order_by("-id").values_list("id", flat=True).first()


@transaction.atomic
def stop(user: User, notification_id: int) -> Notification:
    """Cancel queued deliveries of any colleague's notification.

    Calls in progress still complete. A queued delivery that was rejected before keeps that result and becomes failed. A
    scheduled notification is stopped the same way. Raises ``PermissionDenied``,
    ``WrongState``.
    """
    notification = _lock(user, notification_id)
    counts = finish(notification, timezone.now(), Notification.StopReason.PERSON)
    _write(STOPPED, user, notification, **counts)
    return notification


@transaction.atomic
def reschedule(
    user: User, notification_id: int, *, start: datetime, not_after: datetime | None
) -> Notification:
    """Change the time of a scheduled notification.

    Raises ``PermissionDenied``, ``WrongState`` when it has started, ``ValidationError``
    for an invalid time.
    """
    notification = _lock_controlled(user, notification_id)
    check_start(start)
    check_not_after(not_after, start)
    before = notification.scheduled_for
    notification.reschedule(start, not_after=not_after)
    _write(
        SCHEDULED,
        user,
        notification,
        start=start.isoformat(),
        before=before and before.isoformat(),
        not_after=not_after and not_after.isoformat(),
    )
    return notification


@transaction.atomic
def take_over(user: User, notification_id: int) -> Notification:
    """Make ``user`` the person who controls a colleague's notification.

    The sender stays in the record. Raises ``PermissionDenied``. A call that changes
    nothing writes no audit entry.
    """
    notification = _lock(user, notification_id)
    if notification.controller_id == user.pk:
        return notification
    before = notification.controller_name
    notification.controlled_by = user
    notification.save(update_fields=["controlled_by"])
    _write(TAKEN_OVER, user, notification, before=before, after=user.get_username())
    return notification


def _lock(user: User, notification_id: int) -> Notification:
    require(user, permissions.SEND)
    return Notification.objects.sent().select_for_update().get(pk=notification_id)


def _lock_controlled(user: User, notification_id: int) -> Notification:
    notification = _lock(user, notification_id)
    require_control(user, notification)
    return notification


def _write(
    event: audit_log.Event, user: User, notification: Notification, **detail: Any
) -> None:
    audit_log.write(event, user.get_username(), notification=notification.pk, **detail)


@transaction.atomic
def set_sending_switch(
    user: User, *, is_off: bool, shown: str | None = None
) -> SendingSwitch:
    """Stop all sending, or allow it again; calls in progress still complete.

    ``shown`` is the ``switch_shown`` of the page that allows it: a colleague may have
    stopped all sending again since. Stopping is never refused. A call that changes
    nothing writes no audit entry. Raises ``PermissionDenied``, ``ChangedSinceShown``.
    """
    require(user, permissions.SEND)
    SendingSwitch.objects.get_or_create(pk=1)
    switch = SendingSwitch.objects.select_for_update().get(pk=1)
    if switch.is_off == is_off:
        return switch
    if not is_off:
        refuse_old_page(shown, *_state(switch))
    switch.is_off = is_off
    switch.changed_by = user.get_username()
    switch.changed_at = timezone.now()
    switch.save()
    event = ALL_STOPPED if is_off else ALL_ALLOWED
    audit_log.write(event, user.get_username())
    if not is_off:
        wake_workers()
    return switch


def switch_shown() -> str:
    """Identifies the present state of the switch for the form that allows sending."""
    return fingerprint(*_state(SendingSwitch.present()))


def _state(switch: SendingSwitch) -> tuple[bool, str, datetime | None]:
    return switch.is_off, switch.changed_by, switch.changed_at


@transaction.atomic
def resolve_delivery(user: User, delivery_id: int, *, note: str) -> None:
    """Record a note on an unconfirmed delivery, for example "Anna saw it".

    The delivery does not change, because its result is what the program knew. Raises
    ``PermissionDenied``; ``ValidationError`` for an empty or too long note, or when
    the delivery is confirmed.
    """
    require(user, permissions.SEND)
    delivery = Delivery.objects.select_related("notification").get(pk=delivery_id)
    require_control(user, delivery.notification)
    note = clean_note(note)
    if not note:
        raise ValidationError(_("Write what you found out."))
    if delivery.status != Delivery.Status.UNCONFIRMED:
        raise ValidationError(_("Only a delivery that is not confirmed is cleared up."))
    audit_log.write(
        RESOLVED,
        user.get_username(),
        notification=delivery.notification_id,
        delivery=delivery.pk,
        note=note,
    )
