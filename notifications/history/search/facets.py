"""What the filters offer, and which notifications are not counted yet: one query.

Senders and codes of sealed notifications are looked up in the tallies, one step of an
index per value, where DISTINCT would read all of them.
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
    """A notification without a seal: its deliveries are in no tally, so they are read."""

    notification: int
    sender_name: str
    created_at: datetime  # of its deliveries


@dataclass(frozen=True, slots=True)
class Facets:
    """What the history holds at this moment."""

    live: Sequence[UnsealedNotification]
    senders: Sequence[tuple[str, str]]  # username as copied, full name of today or ""
    codes: Sequence[int]  # of what failed or waits for another attempt, ascending


# Of the statuses that can have another code than 0.
_WITH_CODE = [Delivery.Status.FAILED, Delivery.Status.QUEUED]

_SQL = """
WITH RECURSIVE
live(id, sender_name) AS (
    SELECT id, sender_name FROM {notification}
    WHERE status IN ('scheduled', 'sending', 'paused')
    UNION ALL
    SELECT id, sender_name FROM {notification} AS ended
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
live_codes(id, status, group_type, code) AS (
    SELECT live.id, statuses.column1, types.column1,
        (SELECT MIN(error_code) FROM {delivery} WHERE notification_id = live.id
         AND status = statuses.column1 AND group_type = types.column1)
    FROM live CROSS JOIN (VALUES {statuses}) AS statuses
    CROSS JOIN (VALUES {types}) AS types
    UNION ALL
    SELECT id, status, group_type,
        (SELECT MIN(error_code) FROM {delivery} AS d
         WHERE d.notification_id = live_codes.id AND d.status = live_codes.status
         AND d.group_type = live_codes.group_type AND d.error_code > code)
    FROM live_codes WHERE code IS NOT NULL
),
senders(name) AS (SELECT name FROM sealed_senders UNION SELECT sender_name FROM live),
codes(code) AS (SELECT code FROM sealed_codes UNION SELECT code FROM live_codes)
SELECT 'live', id, sender_name, '',
    (SELECT created_at FROM {delivery} WHERE notification_id = live.id
     ORDER BY id DESC LIMIT 1)
FROM live
UNION ALL
SELECT 'sender', 0, name, COALESCE(TRIM(first_name || ' ' || last_name), ''), NULL
FROM senders LEFT JOIN {user} ON username = name WHERE name IS NOT NULL
UNION ALL
SELECT 'code', code, '', '', NULL FROM codes WHERE code <> 0
"""


def facets() -> Facets:
    """One query, whatever the size of the history."""
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
        live=sorted(
            (
                UnsealedNotification(number, name, _moment(at))
                for kind, number, name, _full, at in rows
                if kind == "live" and at is not None
            ),
            key=lambda live: live.notification,
        ),
        senders=sorted(
            (name, full) for kind, _n, name, full, _at in rows if kind == "sender"
        ),
        codes=sorted(code for kind, code, _name, _full, _at in rows if kind == "code"),
    )


def _moment(value: datetime) -> datetime:
    """SQLite knows no time zones: what is stored there is UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _values(words: Sequence[str]) -> str:
    """Words of ours, none with a quote in it, as the rows of VALUES."""
    return ", ".join(f"('{word}')" for word in words)
