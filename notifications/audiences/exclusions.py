"""The reasons for which an audience excludes a selected chat group, with labels."""

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class ExclusionReason(TextChoices):
    """The first two values are also states of a group.

    From ``CHANNEL`` on: features of a message that the type of the group refuses.
    """

    SWITCHED_OFF = "switched_off", gettext_lazy("Switched off")
    CLOSED = "closed", gettext_lazy("Closed")
    UNKNOWN_TYPE = "unknown_type", gettext_lazy("Unknown type")
    CHANNEL = "channel", gettext_lazy("Not reached by this channel")
    MENTION_ALL = "mention_all", gettext_lazy("Has no @all")
    ONLINE_ONLY = "online_only", gettext_lazy("Not for online members only")
    NO_UNREAD = "no_unread", gettext_lazy("Always counted as unread")
    NO_LAST_MESSAGE = "no_last_message", gettext_lazy("Always the last message")
    RECIPIENTS = "recipients", gettext_lazy("Can only be sent to everyone")


# Feature of a channel → the reason for which a group is excluded. In this order: a group
# that also refuses named members has the reason that remains when nobody is named.
REASONS = {
    "message": ExclusionReason.CHANNEL,
    "mention_all": ExclusionReason.MENTION_ALL,
    "online_only": ExclusionReason.ONLINE_ONLY,
    "no_unread": ExclusionReason.NO_UNREAD,
    "no_last_message": ExclusionReason.NO_LAST_MESSAGE,
    "recipients": ExclusionReason.RECIPIENTS,
}


def reason_label(value: str) -> str:
    """The label of a reason or of a group's state, as stored in the audit trail."""
    words: dict[str, Any] = dict(ExclusionReason.choices)
    return str(words.get(value, value))


def count_labels(counts: Mapping[ExclusionReason, int]) -> str:
    """``Switched off: 2 · Closed: 1``."""
    parts = [
        _("%(label)s: %(value)s") % {"label": reason.label, "value": f"{count:,}"}
        for reason, count in counts.items()
    ]
    return " · ".join(parts)
