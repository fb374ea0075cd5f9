"""Take a notification back, or correct its text: creates the run, which the workers process.

A run is a notification that amends another one, with a delivery for each message.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.amendments.audit_events import CORRECTED, RECALLED
from notifications.amendments.checks import (
    check_correction,
    check_recall,
    refuse_nothing_left,
    shown_values,
    why_never,
    why_not_now,
)
from notifications.amendments.messages import (
    INCLUDED,
    WHOLE,
    Part,
    Preview,
    messages,
    preview,
)
from notifications.amendments.presentation import nothing_left
from notifications.db.sql import insert_select
from notifications.delivery.amendments import WAIT
from notifications.delivery.audit_events import STOPPED
from notifications.delivery.finish import finish
from notifications.models import AMENDING, Channel, Delivery, Notification
from notifications.permissions import require
from notifications.ui.made_from import refuse_old_page

# Copied from the delivery of the message.
COPIED = ("group_id", "group_name", "group_type", "portion")


@dataclass(frozen=True, slots=True)
class Started:
    """``run`` is ``None`` if there is no message to take back: then it was only stopped."""

    run: Notification | None
    was_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """The order of the calls, and the token of the page that asks for the run."""

    newest_first: bool = True
    token: uuid.UUID = field(default_factory=uuid.uuid4)


@transaction.atomic
def recall(
    user: User,
    notification_id: int,
    *,
    reason: str,
    part: Part = WHOLE,
    order: Order | None = None,
) -> Started:
    """Take the messages of a notification back from the groups of ``part``.

    A notification that is still being sent is stopped first, and so is an open
    correction of it; calls in progress are taken back when their result is known. Every
    colleague who may send can do this. A second call with the same token returns the run
    of the first one.

    Raises ``PermissionDenied``; ``ValidationError`` by field for a reason that Tencent
    does not take (``reason``) and for an unknown part (``types``, ``labels``,
    ``group_ids``); ``ValidationError`` if nothing can be taken back, with the cause.
    """
    user = require(user, permissions.SEND)
    order = order or Order()
    original = _lock_original(notification_id)
    if run := _run_of_token(original, order.token):
        return Started(run)
    reason = check_recall(original, reason, part)
    was_stopped = _stop(user, original)
    for correction in _open_amendments(original, Channel.CORRECTION):
        _stop(user, correction)
    _lock_unsettled(original)
    counts = preview(original, Channel.RECALL, part)
    if not counts.groups:
        if was_stopped:
            return Started(None, was_stopped)
        raise ValidationError(nothing_left(original, counts))
    run = _create(user, original, Channel.RECALL, part, order, content=reason)
    _start(user, run, original, part, RECALLED, counts, reason=reason)
    return Started(run, was_stopped)


@transaction.atomic
def correct(
    user: User,
    notification_id: int,
    *,
    content: str,
    note: str = "",
    part: Part = WHOLE,
    order: Order | None = None,
    shown: str | None = None,
) -> Notification:
    """Replace the text of a notification in the groups of ``part``.

    ``shown`` is the ``fingerprint`` of the page. Every colleague who may send can do
    this. A second call with the same token returns the run of the first one.

    Raises ``PermissionDenied``; ``ValidationError`` by field (``content``, ``note``,
    ``types``, ``labels``, ``group_ids``); ``ValidationError`` if the notification is still being sent, while it is being taken
    back or corrected, or if nothing can be corrected, with the cause;
    ``ChangedSinceShown``.
    """
    user = require(user, permissions.SEND)
    order = order or Order()
    original = _lock_original(notification_id)
    if run := _run_of_token(original, order.token):
        return run
    content, note = check_correction(original, content, note, part)
    _open_amendments(original, *AMENDING)  # locked
    if sentence := why_not_now(original):
        raise ValidationError(sentence)
    _lock_unsettled(original)
    counts = preview(original, Channel.CORRECTION, part, content)
    if not counts.groups:
        refuse_nothing_left(original, counts)
    refuse_old_page(shown, *shown_values(original, part, content, note))
    run = _create(
        user,
        original,
        Channel.CORRECTION,
        part,
        order,
        content=content,
        note=note,
        message_options=original.message_options,
        checked_digest=shown or "",
    )
    _start(user, run, original, part, CORRECTED, counts, note=note)
    return run


def _lock_original(notification_id: int) -> Notification:
    """Raises ``ValidationError`` if nothing of it can be changed at Tencent."""
    rows = Notification.objects.sent().select_for_update()
    notification = rows.get(pk=notification_id)
    if sentence := why_never(notification):
        raise ValidationError(sentence)
    return notification


def _run_of_token(original: Notification, token: uuid.UUID) -> Notification | None:
    """Raises ``ValidationError`` for the token of a page about something else."""
    run = Notification.objects.filter(token=token).first()
    if run is not None and run.amends_id != original.pk:
        raise ValidationError(_("This page is out of date. Open it again."))
    return run


def _open_amendments(original: Notification, *channels: str) -> list[Notification]:
    """In the order of their ids, locked."""
    rows = original.amendments.filter(
        channel__in=channels, status__in=Notification.OPEN
    )
    return list(rows.order_by("pk").select_for_update())


def _lock_unsettled(original: Notification) -> None:
    """So that the counts and the inserted rows are the same messages.

    After the notification is stopped, only the results of these rows are not known yet.
    """
    unsettled = original.deliveries.filter(
        Q(status=Delivery.Status.SENDING) | Q(next_query_at__isnull=False)
    )
    list(unsettled.order_by("pk").select_for_update().values_list("pk"))


def _stop(user: User, notification: Notification) -> bool:
    """Stop it if it is open; return whether it was."""
    if notification.has_ended:
        return False
    counts: dict[str, Any] = finish(
        notification, timezone.now(), Notification.StopReason.PERSON
    )
    audit_log.write(
        STOPPED, user.get_username(), notification=notification.pk, **counts
    )
    return True


def _create(
    user: User,
    original: Notification,
    channel: str,
    part: Part,
    order: Order,
    **values: Any,
) -> Notification:
    username = user.get_username()
    run = Notification.objects.create(
        token=order.token,
        sender=user,
        sender_name=username,
        written_by=user,
        written_by_name=username,
        by_superuser=user.is_superuser,
        channel=channel,
        amends=original,
        audience=part.audience,
        audience_values=list(part.group_ids) or part.rule.as_json() or [],
        **values,
    )
    _insert(run, original, part, timezone.now(), newest_first=order.newest_first)
    run.audience_count = run.deliveries.count()
    run.save(update_fields=["audience_count"])
    return run


def _insert(
    run: Notification,
    original: Notification,
    part: Part,
    now: datetime,
    *,
    newest_first: bool,
) -> None:
    """Insert a row for each message, in the order in which the calls are made."""
    values: dict[str, Any] = {
        "notification": run.pk,
        "channel": run.channel,
        "sender_name": run.sender_name,
        "created_at": now,
    }
    columns: dict[str, Any] = {}
    for model_field in Delivery._meta.concrete_fields:
        name = model_field.name
        if model_field.primary_key:
            continue
        if name in COPIED:
            columns[name] = F(name)
        elif name == "amended_delivery":
            columns[name] = F("pk")
        elif name == "not_before":
            columns[name] = Case(
                When(status=Delivery.Status.ACCEPTED, then=Value(now)),
                default=Value(now + WAIT),
                output_field=DateTimeField(),
            )
        else:
            value = values.get(name, model_field.get_default())
            columns[name] = Value(value, output_field=model_field)
    text = run.content if run.channel == Channel.CORRECTION else ""
    rows = messages(original, run.channel, part, now, text).filter(left_out=INCLUDED)
    names = {f"new_{name}": column for name, column in columns.items()}
    select = (
        rows.annotate(**names)
        .order_by("-pk" if newest_first else "pk")
        .values_list(*names)
    )
    sql, parameters = select.query.sql_with_params()
    insert_select(Delivery, columns, sql, parameters)


def _start(
    user: User,
    run: Notification,
    original: Notification,
    part: Part,
    event: audit_log.Event,
    counts: Preview,
    **detail: Any,
) -> None:
    run.start()
    if rule := part.rule.as_json():
        detail["rule"] = rule
    audit_log.write(
        event,
        user.get_username(),
        notification=run.pk,
        channel=run.channel,
        of=original.pk,
        groups=run.audience_count,
        deliveries=run.audience_count,
        left_out_count=counts.left_out_count,
        left_out_reasons={
            reason.value: count for reason, count in counts.left_out.items()
        },
        **detail,
    )
