"""What the database refuses, as data: table by table, the rules about its rows.

The conditions are SQL over OLD and NEW that SQLite and PostgreSQL read alike. They name
no other table: SQLite renames tables in later migrations, and a trigger that names a
table which is away for a moment makes such a migration fail.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Model

from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    Notification,
    Seal,
    Tally,
)
from notifications.models.field_uses import Use, names


@dataclass(frozen=True, slots=True)
class GuardRule:
    """A change is refused where ``when`` holds and one of ``columns`` changes.

    Without the one or the other, that part is not asked for.
    """

    refusal: str
    when: str = ""
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class GuardedTable:
    """``noun`` stands in the refusals that are alike for all tables."""

    model: type[Model]
    noun: str
    update: Sequence[GuardRule]
    delete: Sequence[GuardRule] = field(default_factory=list)


def _was(statuses: Iterable[str]) -> str:
    values = ", ".join(sorted(f"'{status}'" for status in statuses))
    return f"OLD.status IN ({values})"


def _never_changes(model: type[Model], noun: str) -> GuardedTable:
    return GuardedTable(
        model,
        noun,
        update=[GuardRule(f"{noun} cannot be changed")],
        delete=[GuardRule(f"{noun} cannot be removed")],
    )


_SENT = set(Notification.Status) - {Notification.Status.DRAFT}


TABLES = [
    GuardedTable(
        Notification,
        "a notification",
        update=[
            # Else UPDATE OR REPLACE of a draft could push a sent one out of the table.
            GuardRule(
                "the number of a notification cannot be changed",
                columns=names(Notification, Use.FIXED),
            ),
            GuardRule(
                "a notification that was sent cannot become a draft again",
                when=f"{_was(_SENT)} AND NEW.status = 'draft'",
            ),
            GuardRule(
                "what was written cannot be changed after it was sent",
                when=_was(_SENT),
                columns=names(Notification, Use.FROZEN),
            ),
            GuardRule(
                "the time when a notification was sent cannot be changed",
                when="OLD.sent_at IS NOT NULL",
                columns=["sent_at"],
            ),
            GuardRule(
                "a notification that has ended cannot be changed",
                when=_was(Notification.ENDED),
                columns=names(Notification, without=Use.LATE),
            ),
        ],
        delete=[
            GuardRule("a notification that was sent cannot be removed", _was(_SENT))
        ],
    ),
    GuardedTable(
        Delivery,
        "a delivery",
        update=[
            GuardRule("a finished delivery cannot be changed", _was(Delivery.ENDED)),
            GuardRule(
                "what a delivery was made for cannot be changed",
                columns=names(Delivery, Use.FIXED),
            ),
        ],
        delete=[GuardRule("a delivery cannot be removed")],
    ),
    _never_changes(Attempt, "an attempt"),
    _never_changes(AuditEntry, "an audit entry"),
    _never_changes(Seal, "a seal"),
    _never_changes(Tally, "a tally"),
    _never_changes(Archive, "an archive"),
]
