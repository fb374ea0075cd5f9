"""Choices of the filters, and the unsealed notifications, in one query.

Senders and codes of sealed notifications come from the tallies, with one index lookup
per value; DISTINCT would read all tallies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import connection

from notifications.db.sql import quoted_table
from notifications.models import Delivery, GroupType, Notification, Seal, Tally


@dataclass(frozen=True, slots=True)
class UnsealedNotification:
    """A notification without a seal: it has no tallies, so its deliveries are read."""

    notification: int
    sender_name: str
    channel: str
    created_at: datetime  # of its deliveries


@dataclass(frozen=True, slots=True)
class Facets:
    """Values that occur in the history."""

    unsealed: Sequence[UnsealedNotification]
    senders: Sequence[tuple[str, str]]  # stored username, current full name or ""
    codes: Sequence[int]  # of failed and retried deliveries, ascending


# Statuses with codes other than 0.
_WITH_CODE = [Delivery.Status.FAILED, Delivery.Status.QUEUED]

_SQL = """
WITH RECURSIVE
unsealed(id, sender_name, channel) AS (
    SELECT id, sender_name, channel FROM {notification}
    WHERE status IN ('scheduled', 'sending', 'paused')
    UNION ALL
    SELECT id, sender_name, channel FROM {notification} AS ended
    WHERE status IN ('completed', 'cancelled') AND NOT EXISTS (
        SELECT 1 FROM {seal} WHERE notification_id = ended.id)
),
sealed_senders(name) AS (
    SELECT MIN(sender_name) FROM {tally}
    UNION ALL
    SELECT (SELECT MIN(sender_name) FROM {tally} WHERE sender_name > name)
    FROM sealed_senders WHERE name IS NOT NULL
),
sealed_codes(code) AS (
    SELECT MIN(error_code) FROM {tally}
    UNION ALL
    SELECT (SELECT MIN(error_code) FROM {tally} WHERE error_code > code)
    FROM sealed_codes WHERE code IS NOT NULL
),
unsealed_codes(id, status, group_type, code) AS (
    SELECT unsealed.id, statuses.column1, types.column1,
        (SELECT MIN(error_code) FROM {delivery} WHERE notification_id = unsealed.id
         AND status = statuses.column1 AND group_type = types.column1)
    FROM unsealed CROSS JOIN (VALUES {statuses}) AS statuses
    CROSS JOIN (VALUES {types}) AS types
    UNION ALL
    SELECT id, status, group_type,
        (SELECT MIN(error_code) FROM {delivery} AS d
         WHERE d.notification_id = unsealed_codes.id AND d.status = unsealed_codes.status
         AND d.group_type = unsealed_codes.group_type AND d.error_code > code)
    FROM unsealed_codes WHERE code IS NOT NULL
),
senders(name) AS (SELECT name FROM sealed_senders UNION SELECT sender_name FROM unsealed),
codes(code) AS (SELECT code FROM sealed_codes UNION SELECT code FROM unsealed_codes)
SELECT 'unsealed', id, sender_name, channel,
    (SELECT created_at FROM {delivery} WHERE notification_id = unsealed.id
     ORDER BY id DESC LIMIT 1)
FROM unsealed
UNION ALL
SELECT 'sender', 0, name, COALESCE(TRIM(first_name || ' ' || last_name), ''), NULL
FROM senders LEFT JOIN {user} ON username = name WHERE name IS NOT NULL
UNION ALL
SELECT 'code', code, '', '', NULL FROM codes WHERE code <> 0
"""


def facets() -> Facets:
    """One query, fast for any size of the history."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(
                notification=quoted_table(Notification),
                seal=quoted_table(Seal),
                tally=quoted_table(Tally),
                delivery=quoted_table(Delivery),
                user=quoted_table(User),
                statuses=_values(_WITH_CODE),
                types=_values(GroupType.values),
            )
        )
        rows = cursor.fetchall()
    return Facets(
        unsealed=sorted(
            (
                UnsealedNotification(number, name, channel, _aware(at))
                for kind, number, name, channel, at in rows
                if kind == "unsealed" and at is not None
            ),
            key=lambda unsealed: unsealed.notification,
        ),
        senders=sorted(
            (name, full) for kind, _n, name, full, _at in rows if kind == "sender"
        ),
        codes=sorted(code for kind, code, _name, _full, _at in rows if kind == "code"),
    )


def _aware(value: datetime) -> datetime:
    """Times from SQLite are naive and in UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _values(words: Sequence[str]) -> str:
    """Constants of the code, without quotes, as rows of VALUES."""
    return ", ".join(f"('{word}')" for word in words)
