"""Validation of named members, and their portions: one per call."""

from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models.notifications import join_recipients
from notifications.tencent.ids import is_user_id
from notifications.ui.text import join_first

MAX_RECIPIENTS = 500  # per notification, independent of IM_RECIPIENTS_PER_CALL


def clean_recipients(ids: Sequence[str] | None) -> list[str] | None:
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
    if len(unique) > MAX_RECIPIENTS:
        raise ValidationError(
            _("%(n)d IDs entered; the limit is %(limit)d.")
            % {"n": len(unique), "limit": MAX_RECIPIENTS}
        )
    return unique


def portions(recipients: Sequence[str] | None) -> list[str]:
    """The recipients of each call in stored form; ``[""]`` for everyone.

    At most ``IM_RECIPIENTS_PER_CALL`` per call: Tencent documents 500 and, since 2025,
    50 (https://www.tencentcloud.com/zh/document/product/1047/34958).
    """
    if recipients is None:
        return [""]
    size = settings.IM_RECIPIENTS_PER_CALL
    return [
        join_recipients(recipients[start : start + size])
        for start in range(0, len(recipients), size)
    ]
