"""The versions of a draft, as the pages of the record show them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from notifications.history.presentation import option_rows
from notifications.models import DraftVersion, Notification, Rule
from notifications.tencent.message_options import MessageOptions
from notifications.ui.text import join_first

# The page shows the newest ones; the evidence has all in drafts.jsonl.
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: DraftVersion
    options: Sequence[tuple[str, str]]
    groups: str


@dataclass(frozen=True, slots=True)
class Versions:
    """``rows`` newest first; ``count`` includes those that are not shown."""

    rows: list[VersionRow]
    count: int


def versions_of(notification: int) -> Versions:
    """Two queries."""
    versions = DraftVersion.objects.filter(notification_number=notification)
    newest = versions.order_by("-number")[:MAX_SHOWN]
    return Versions(
        [VersionRow(v, _options(v), _groups(v)) for v in newest], versions.count()
    )


def _options(version: DraftVersion) -> list[tuple[str, str]]:
    values = json.loads(version.message_options or "{}")
    return option_rows(MessageOptions.from_json(values))


def _groups(version: DraftVersion) -> str:
    """The chosen audience on one line."""
    label = str(Notification.Audience(version.audience).label)
    values = version.audience_values
    if isinstance(values, Mapping):
        text = str(Rule.from_json(values))
        exceptions = values.get("exceptions", [])
        text += f" ({', '.join(exceptions)})" if exceptions else ""
    else:
        text = join_first(list(values))
    if not text:
        return label
    return _("%(label)s: %(value)s") % {"label": label, "value": text}
