"""The reasons for which an audience excludes a selected chat group, with labels."""

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class ExclusionReason(TextChoices):
    """The first two values are also states of a group."""

    SWITCHED_OFF = "switched_off", gettext_lazy("Switched off")
    CLOSED = "closed", gettext_lazy("Closed")
    UNKNOWN_TYPE = "unknown_type", gettext_lazy("Unknown type")
    RECIPIENTS = "recipients", gettext_lazy("Can only be sent to everyone")


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
