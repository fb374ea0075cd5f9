"""Take a notification back, or correct its text: creates the run, which the workers process.

A run is a notification that amends another one, with a delivery for each message.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, DateTimeField, F, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.amendments.audit_events import CORRECTED, RECALLED
from notifications.amendments.messages import (
    INCLUDED,
    WHOLE,
    LeftOut,
    Part,
    messages,
    preview,
)
from notifications.amendments.presentation import nothing_left
from notifications.compose.services.drafts import clean_content
from notifications.db.sql import insert_select
from notifications.delivery.amendments import WAIT
from notifications.delivery.audit_events import STOPPED
from notifications.delivery.channels import CHANNELS
from notifications.delivery.finish import finish
from notifications.models import Channel, Delivery, Notification
from notifications.permissions import require
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.tencent.message_options import MAX_MESSAGE_BYTES, message_bytes
from notifications.ui.made_from import fingerprint, refuse_old_page
from notifications.ui.text import clean_note, has_control

# Copied from the delivery of the message.
COPIED = ("group_id", "group_name", "group_type", "portion")


@dataclass(frozen=True, slots=True)
class Started:
    """``run`` is ``None`` if no group had got the message yet: then it was only stopped."""

    run: Notification | None
    was_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """The order of the calls, and the token of the page that asks for the run."""

    newest_first: bool = True
    token: uuid.UUID = field(default_factory=uuid.uuid4)


def clean_reason(text: str) -> str:
    """The reason on one line.

    Raises ``ValidationError`` if it is empty, has a control character, or has more than
    100 bytes. Source: https://cloud.tencent.com/document/product/269/12341.
    """
    text = " ".join(text.split())
    if not text:
        raise ValidationError(_("Write the reason: members may see it."))
    if has_control(text):
        raise ValidationError(_("The reason holds a control character. Remove it."))
    excess = len(text.encode()) - GroupMsgRecall.MAX_REASON_BYTES
    if excess > 0:
        raise ValidationError(
            _(
                "The reason is %(n)d bytes too long; Tencent takes %(limit)d. A Chinese "
                "character counts as 3."
            )
            % {"n": excess, "limit": GroupMsgRecall.MAX_REASON_BYTES}
        )
    return text


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

    Raises ``PermissionDenied``; ``ValidationError`` (field ``reason``) for a reason that
    Tencent does not take; ``ValidationError`` if nothing can be taken back, with the
    cause.
    """
    user = require(user, permissions.SEND)
    order = order or Order()
    original = _lock_original(notification_id)
    if run := _run_of_token(original, order.token):
        return Started(run)
    try:
        reason = clean_reason(reason)
    except ValidationError as error:
        raise ValidationError({"reason": error}) from None
    was_stopped = _stop(user, original)
    for correction in _open_amendments(original, Channel.CORRECTION):
        _stop(user, correction)
    counts = preview(original, Channel.RECALL, part)
    if not counts.groups:
        if was_stopped:
            return Started(None, was_stopped)
        raise ValidationError(nothing_left(counts))
    run = _create(user, original, Channel.RECALL, part, order, content=reason)
    _start(user, run, original, part, RECALLED, counts.left_out, reason=reason)
    return Started(run, was_stopped)


def check_shown(notification: Notification, part: Part, content: str, note: str) -> str:
    """Identifies what Check shows of a correction, for the form that confirms it."""
    return fingerprint(*_shown(notification, part, content, note))


def _shown(
    notification: Notification, part: Part, content: str, note: str
) -> list[Any]:
    counts = preview(notification, Channel.CORRECTION, part)
    return [
        *(notification.pk, content, note, notification.message_options),
        *(list(part.types), list(part.labels), list(part.group_ids)),
        *(counts.groups, counts.left_out, current_texts(notification)),
    ]


def current_texts(notification: Notification) -> list[str]:
    """The texts that its groups may have now: the one that was sent, and corrections."""
    corrections = notification.amendments.filter(channel=Channel.CORRECTION)
    return [
        notification.content,
        *corrections.order_by("pk").values_list("content", flat=True),
    ]


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

    ``shown`` is the ``check_shown`` of the page. Every colleague who may send can do
    this. A second call with the same token returns the run of the first one.

    Raises ``PermissionDenied``; ``ValidationError`` by field (``content``, ``note``);
    ``ValidationError`` if the notification is still being sent, while it is being taken
    back or corrected, or if nothing can be corrected, with the cause;
    ``ChangedSinceShown``.
    """
    user = require(user, permissions.SEND)
    order = order or Order()
    original = _lock_original(notification_id)
    if run := _run_of_token(original, order.token):
        return run
    content, note = check_correction(original, content, note)
    if not original.has_ended:
        raise ValidationError(
            _("It is still being sent. Wait until it has finished, or stop it first.")
        )
    for run in _open_amendments(original, Channel.RECALL, Channel.CORRECTION):
        raise ValidationError(
            _(
                "%(kind)s %(number)d of this notification is still running. Wait until "
                "it has finished, or stop it first."
            )
            % {"kind": Channel(run.channel).label, "number": run.pk}
        )
    refuse_old_page(shown, *_shown(original, part, content, note))
    counts = preview(original, Channel.CORRECTION, part)
    if not counts.groups:
        raise ValidationError(nothing_left(counts))
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
    _start(user, run, original, part, CORRECTED, counts.left_out, note=note)
    return run


def check_correction(
    notification: Notification, content: str, note: str
) -> tuple[str, str]:
    """The cleaned text and note. Raises ``ValidationError`` by field."""
    errors: dict[str, Any] = {}
    try:
        content = _clean_text(notification, content)
    except ValidationError as error:
        errors["content"] = error
    try:
        note = clean_note(note)
    except ValidationError as error:
        errors["note"] = error
    if errors:
        raise ValidationError(errors)
    return content, note


def _clean_text(notification: Notification, text: str) -> str:
    text = clean_content(text)
    excess = message_bytes(text, notification.options) - MAX_MESSAGE_BYTES
    if excess > 0:
        raise ValidationError(
            _(
                "The text and the rest of the message are %(n)d bytes too long "
                "together; the limit is %(limit)d."
            )
            % {"n": excess, "limit": MAX_MESSAGE_BYTES}
        )
    if text == current_texts(notification)[-1]:
        raise ValidationError(_("This is the text that the groups have already."))
    return text


def _lock_original(notification_id: int) -> Notification:
    """Raises ``ValidationError`` if nothing of it can be changed at Tencent."""
    rows = Notification.objects.sent().select_for_update()
    notification = rows.get(pk=notification_id)
    channel = CHANNELS[notification.channel]
    if channel.is_amendment:
        raise ValidationError(
            _("This is a %(kind)s itself. Open the notification that it changes.")
            % {"kind": channel.word.label}
        )
    if sentence := channel.why_not_amendable(notification.options):
        raise ValidationError(str(sentence))
    return notification


def _run_of_token(original: Notification, token: uuid.UUID) -> Notification | None:
    return original.amendments.filter(token=token).first()


def _open_amendments(original: Notification, *channels: str) -> list[Notification]:
    """In the order of their ids, locked."""
    rows = original.amendments.filter(
        channel__in=channels, status__in=Notification.OPEN
    )
    return list(rows.order_by("pk").select_for_update())


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
    rows = messages(original, run.channel, part, now).filter(left_out=INCLUDED)
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
    left_out: Mapping[LeftOut, int],
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
        left_out_count=sum(left_out.values()),
        left_out_reasons={reason.value: count for reason, count in left_out.items()},
        **detail,
    )
