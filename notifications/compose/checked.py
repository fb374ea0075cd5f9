"""Everything that the Check page shows and Send sends or records, with one digest.

The form of the Check page carries the digest, which Send computes again, and a signed copy
of the shown values, so that a refusal can name what changed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Concat, Replace
from django.utils.translation import gettext as _

from notifications.audiences.audience import Audience, audience_of
from notifications.db.expressions import JoinedTexts
from notifications.models import Notification
from notifications.record.canonical_text import iso_time, json_line

# The Check page lists as many groups; longer lists are compared by their digest only.
MAX_LISTED = 500

# With a new number after each change of the values: an older page has others.
SALT = "notifications.compose.checked.2"

Shown = Mapping[str, Any]


class ChangedSinceCheck(ValidationError):
    """A value that the Check page showed has changed, so nothing was sent."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "What you checked has changed since, so nothing was sent. Look again, "
                "then send."
            )
        )


@dataclass(frozen=True, slots=True)
class CheckedGroups:
    """Groups as lines of group ID, type or reason of exclusion, and name, with tabs.

    The lines of excepted groups have no type.
    """

    lines: list[str]

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def shown(self) -> dict[str, Any]:
        lines = self.lines if self.count <= MAX_LISTED else None
        return {"count": self.count, "digest": self.digest, "lines": lines}


@dataclass(frozen=True, slots=True)
class Checked:
    """``values`` are JSON values, without the groups."""

    values: dict[str, Any]
    groups: CheckedGroups
    left_out: CheckedGroups

    @property
    def excepted(self) -> CheckedGroups:
        """ID and name of the groups that the rule names as exceptions."""
        rows = self.values["excepted"]
        return CheckedGroups(
            sorted(f"{row['group_id']}\t{_one_column(row['name'])}" for row in rows)
        )

    def digest(
        self, *, start: datetime | None = None, not_after: datetime | None = None
    ) -> str:
        """SHA-256 of one line of JSON; docs/auditing.md describes it.

        The times are chosen on the Check page: its form carries the digest without them,
        and Send records the digest with them.
        """
        return hashlib.sha256(
            json_line(
                {
                    **self.values,
                    "excepted": self.excepted.digest,
                    "groups": self.groups.digest,
                    "left_out": self.left_out.digest,
                    "start": iso_time(start),
                    "not_after": iso_time(not_after),
                }
            )
        ).hexdigest()

    def shown(self) -> dict[str, Any]:
        """The values that ``differences`` compares; long lists by their digest."""
        values = self.values.copy()
        # The groups are in ``groups``, and a rule is in ``rule``.
        chosen = values.pop("audience_values")
        is_saved = values["audience"] == Notification.Audience.SAVED
        return {
            **values,
            "audience_name": "".join(chosen) if is_saved else "",
            "order": hashlib.sha256(json_line(chosen)).hexdigest(),
            "groups": self.groups.shown(),
            "left_out": self.left_out.shown(),
        }


def checked_of(
    user: User, draft: Notification, audience: Audience | None = None
) -> Checked:
    """What ``user`` sends with this draft now.

    A page that displays ``audience`` reads it after this function: a change between the
    two is then noticed by Send.
    """
    audience = audience or audience_of(draft)
    # Send refuses a draft with excluded groups that were chosen one by one.
    is_chosen = audience.kind == Notification.Audience.CHOSEN
    return Checked(
        {
            "message": draft.content,
            "note": draft.note,
            "members": draft.recipient_ids,
            "channel": draft.channel,
            "options": draft.options.as_json(),
            "audience": draft.audience,
            "audience_values": draft.audience_values,
            "rule": audience.rule.as_json() if audience.rule else None,
            "excepted": audience.excepted_groups(),
            "written_by": draft.written_by_name,
            "sender": user.get_username(),
            "by_superuser": user.is_superuser,
        },
        list_groups(audience.included_groups(), "group_id", "type", "name"),
        CheckedGroups([])
        if is_chosen
        else list_groups(audience.excluded_groups(), "group_id", "reason", "name"),
    )


def list_groups(
    rows: QuerySet[Any], group_id: str, type_or_reason: str, name: str
) -> CheckedGroups:
    """The groups of these rows, ordered by ID; one query without a row per group.

    A tab or line feed in a name, which the console refuses, is shown as a symbol: each
    row is one line of three columns.
    """
    tab = Value("\t")
    safe_name = Replace(Replace(name, tab, Value("␉")), Value("\n"), Value("␊"))
    line = Concat(
        group_id, tab, type_or_reason, tab, safe_name, output_field=TextField()
    )
    lines = rows.order_by().aggregate(lines=JoinedTexts(line, Value("\n")))["lines"]
    # Sorted here, because PostgreSQL sorts by its collation.
    return CheckedGroups(sorted(lines.split("\n")) if lines else [])


def _one_column(name: str) -> str:
    """As in ``list_groups``."""
    return name.replace("\t", "␉").replace("\n", "␊")


def sign(shown: Shown) -> str:
    return signing.dumps(shown, salt=SALT, compress=True)


def unsign(text: str) -> Shown | None:
    """The values that ``sign`` returned the text for; ``None`` for any other text."""
    try:
        shown: Shown = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    return shown
