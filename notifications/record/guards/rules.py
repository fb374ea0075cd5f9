"""The rules of the guards: for each table, the changes that the database refuses.

The conditions are SQL over OLD and NEW, valid on both SQLite and PostgreSQL. They refer to
no other table: later migrations rename tables on SQLite, and such a migration fails if a
trigger refers to a table that is missing at that moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Model

from notifications.models import (
    AMENDING,
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    DraftVersion,
    Notification,
    Seal,
    Tally,
)
from notifications.models.field_uses import Use, column_names


@dataclass(frozen=True, slots=True)
class GuardRule:
    """Refuse a change if ``when`` holds and one of ``columns`` changes.

    An empty ``when`` always holds; empty ``columns`` cover any change.
    """

    refusal: str
    when: str = ""
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class GuardedTable:
    """``noun`` column_names a row of the table in the messages that all tables share."""

    model: type[Model]
    noun: str
    update: Sequence[GuardRule]
    delete: Sequence[GuardRule] = field(default_factory=list)


def _old_status_in(statuses: Iterable[str]) -> str:
    return f"OLD.status IN ({_words(statuses)})"


def _words(values: Iterable[str]) -> str:
    return ", ".join(sorted(f"'{value}'" for value in values))


def _never_changes(model: type[Model], noun: str) -> GuardedTable:
    return GuardedTable(
        model,
        noun,
        update=[GuardRule(f"{noun} cannot be changed")],
        delete=[GuardRule(f"{noun} cannot be removed")],
    )


_UNCONFIRMED = _old_status_in([Delivery.Status.UNCONFIRMED])
_SETTLED = [
    Delivery.Status.UNCONFIRMED,
    Delivery.Status.ACCEPTED,
    Delivery.Status.FAILED,
]

_SENT = set(Notification.Status) - {Notification.Status.DRAFT}

TABLES = [
    GuardedTable(
        Notification,
        "a notification",
        update=[
            # Otherwise UPDATE OR REPLACE of a draft could delete a sent notification.
            GuardRule(
                "the number of a notification cannot be changed",
                columns=column_names(Notification, Use.FIXED),
            ),
            GuardRule(
                "a notification that was sent cannot become a draft again",
                when=f"{_old_status_in(_SENT)} AND NEW.status = 'draft'",
            ),
            GuardRule(
                "what was written cannot be changed after it was sent",
                when=_old_status_in(_SENT),
                columns=column_names(Notification, Use.FROZEN),
            ),
            GuardRule(
                "the time when a notification was sent cannot be changed",
                when="OLD.sent_at IS NOT NULL",
                columns=["sent_at"],
            ),
            GuardRule(
                "a notification that has ended cannot be changed",
                when=_old_status_in(Notification.ENDED),
                columns=column_names(Notification, without=Use.LATE),
            ),
        ],
        delete=[
            GuardRule(
                "a notification that was sent cannot be removed", _old_status_in(_SENT)
            )
        ],
    ),
    GuardedTable(
        Delivery,
        "a delivery",
        update=[
            GuardRule(
                "a finished delivery cannot be changed",
                _old_status_in(Delivery.ENDED - {Delivery.Status.UNCONFIRMED}),
            ),
            GuardRule(
                "a delivery that Tencent is not queried about cannot be changed",
                f"{_UNCONFIRMED} AND OLD.next_query_at IS NULL",
            ),
            GuardRule(
                "an unconfirmed delivery can become accepted or failed only",
                f"{_UNCONFIRMED} AND NEW.status NOT IN ({_words(_SETTLED)})",
            ),
            GuardRule(
                "only a query changes an unconfirmed delivery",
                _UNCONFIRMED,
                columns=sorted(
                    set(column_names(Delivery)) - set(Delivery.CHANGED_BY_QUERY)
                ),
            ),
            GuardRule(
                "the number of a message cannot be changed",
                when="OLD.random IS NOT NULL",
                columns=["random"],
            ),
            # Otherwise UPDATE OR REPLACE could delete the other delivery.
            GuardRule(
                "the number of a message belongs to another delivery",
                when="OLD.random IS NULL AND EXISTS (SELECT 1 FROM "
                "notifications_delivery AS other WHERE other.random = NEW.random)",
            ),
            GuardRule(
                "the message that is taken back or corrected cannot be changed",
                when=f"OLD.channel IN ({_words(AMENDING)}) AND OLD.msg_seq IS NOT NULL",
                columns=["msg_seq"],
            ),
            GuardRule(
                "what a delivery was made for cannot be changed",
                columns=column_names(Delivery, Use.FIXED),
            ),
        ],
        delete=[GuardRule("a delivery cannot be removed")],
    ),
    _never_changes(Attempt, "an attempt"),
    _never_changes(DeliveryQuery, "a query"),
    _never_changes(AuditEntry, "an audit entry"),
    _never_changes(DraftVersion, "a version of a draft"),
    _never_changes(Seal, "a seal"),
    _never_changes(Tally, "a tally"),
    _never_changes(Archive, "an archive"),
]
