"""Checks what a person enters for a recall or a correction, without changing anything."""

from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.amendments.messages import (
    WHOLE,
    LeftOut,
    Part,
    Preview,
    present_texts,
    preview,
)
from notifications.amendments.presentation import nothing_left
from notifications.compose.services.drafts import clean_content
from notifications.db.expressions import InList
from notifications.delivery.channels import CHANNELS
from notifications.models import Channel, GroupType, Label, Notification
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.tencent.ids import is_group_id
from notifications.tencent.message_options import MAX_MESSAGE_BYTES, message_bytes
from notifications.ui.made_from import fingerprint
from notifications.ui.text import clean_note, has_control, join_first


def check_recall(notification: Notification, reason: str, part: Part) -> str:
    """The cleaned reason. Raises ``ValidationError`` by field."""
    errors: dict[str, Any] = {}
    try:
        reason = clean_reason(reason)
    except ValidationError as error:
        errors["reason"] = error
    errors |= check_part(notification, part)
    if errors:
        raise ValidationError(errors)
    return reason


def check_correction(
    notification: Notification, content: str, note: str, part: Part = WHOLE
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
    errors |= check_part(notification, part)
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
    return text


def check_shown(notification: Notification, part: Part, content: str, note: str) -> str:
    """Identifies what Check shows of a correction, for the form that confirms it."""
    return fingerprint(*shown_values(notification, part, content, note))


def shown_values(
    notification: Notification, part: Part, content: str, note: str
) -> list[Any]:
    """What Check shows of a correction."""
    counts = preview(notification, Channel.CORRECTION, part, content)
    return [
        *(notification.pk, content, note, notification.message_options),
        *(list(part.types), list(part.labels), list(part.group_ids)),
        *(counts.groups, counts.left_out, present_texts(notification, part, content)),
    ]


def refuse_nothing_left(notification: Notification, counts: Preview) -> NoReturn:
    """Raise the ``ValidationError`` of a correction that no group needs or can have."""
    if LeftOut.SAME_TEXT in counts.left_out:
        sentence = _("Every group that can be corrected has this text already.")
        raise ValidationError({"content": sentence})
    raise ValidationError(nothing_left(notification, counts))


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


def check_part(notification: Notification, part: Part) -> dict[str, Any]:
    """Errors by field: a name that is unknown would silently select other groups."""
    errors: dict[str, Any] = {}
    if unknown := [name for name in part.types if name not in GroupType.values]:
        errors["types"] = _("Not a type of group: %(names)s.") % {
            "names": join_first(unknown)
        }
    # No label has a control character; the database refuses some.
    names = [name for name in part.labels if not has_control(name)]
    labels = Label.objects.filter(name__in=names)
    known = set(labels.values_list("name", flat=True)) if names else set()
    if unknown := [name for name in part.labels if name not in known]:
        errors["labels"] = _("There is no such label: %(names)s.") % {
            "names": join_first(unknown)
        }
    if part.group_ids and (
        strangers := _not_part_of(notification, dict.fromkeys(part.group_ids))
    ):
        errors["group_ids"] = _(
            "This notification did not go to: %(names)s. Remove these groups."
        ) % {"names": join_first(strangers)}
    return errors


def _not_part_of(notification: Notification, group_ids: dict[str, None]) -> list[str]:
    possible = [group_id for group_id in group_ids if is_group_id(group_id)]
    rows = notification.deliveries.filter(InList("group_id", possible))
    known = set(rows.order_by().values_list("group_id", flat=True))
    return [group_id for group_id in group_ids if group_id not in known]


def why_never(notification: Notification) -> str:
    """Why nothing of it can be changed, whatever happens; empty if it can."""
    channel = CHANNELS[notification.channel]
    if channel.is_amendment:
        return _("It changes another notification itself. Open that one.")
    return str(channel.why_not_amendable(notification.options))


def why_not_now(notification: Notification) -> str:
    """Why its text cannot be corrected at present; empty if it can."""
    if not notification.has_ended:
        return _(
            "It is still being sent. Wait until it has finished, or stop it first."
        )
    rows = notification.amendments.filter(status__in=Notification.OPEN)
    run = rows.order_by("pk").first()
    if run is None:
        return ""
    return _(
        "%(kind)s %(number)d of this notification is still running. Wait until it has "
        "finished, or stop it first."
    ) % {"kind": Channel(run.channel).label, "number": run.pk}
