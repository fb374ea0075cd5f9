"""Validation of named members, and their portions: one per call."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.delivery.channels.base import Channel
from notifications.models.notifications import join_recipients
from notifications.tencent.ids import is_user_id
from notifications.ui.text import join_first

MAX_RECIPIENTS = 500  # of any notification; a channel may have another limit


def clean_recipients(
    ids: Sequence[str] | None, *, limit: int = MAX_RECIPIENTS
) -> list[str] | None:
    """The named members without duplicates; ``None`` (everyone) is returned as it is."""
    if ids is None:
        return None
    unique = list(dict.fromkeys(ids))
    if not unique:
        raise ValidationError(
            _("Enter at least one member ID, or pick “Everyone in the group”.")
        )
    if wrong := [value for value in unique if not is_user_id(value)]:
        raise ValidationError(
            ngettext("Not a member ID: %(ids)s", "Not member IDs: %(ids)s", len(wrong))
            % {"ids": join_first(wrong)}
        )
    if len(unique) > limit:
        raise ValidationError(
            _("%(n)d IDs entered; the limit is %(limit)d.")
            % {"n": len(unique), "limit": limit}
        )
    return unique


def portions(recipients: Sequence[str] | None, channel: Channel) -> list[str]:
    """The recipients of each call in stored form; ``[""]`` for everyone."""
    if recipients is None:
        return [""]
    size = channel.recipients_per_call()
    return [
        join_recipients(recipients[start : start + size])
        for start in range(0, len(recipients), size)
    ]
