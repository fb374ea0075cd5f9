"""The statements of a worker's tick: each with the ORM query that it replaces.

``tests/test_statements.py`` compares both on the same rows. They lock the same rows in
the same order. What is rare, such as a pause or a retry, stays with the ORM.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from notifications.db.prepared import Row, among, execute, for_update, moment, table_of

# Columns of ``insert_attempts``, with their types on PostgreSQL.
ATTEMPT = {
    "delivery_id": "bigint",
    "number": "smallint",
    "worker": "bigint",
    "started_at": "timestamptz",
    "finished_at": "timestamptz",
    "outcome": "text",
    "reason": "text",
    "detail": "text",
    "http_status": "smallint",
    "action_status": "text",
    "error_code": "integer",
    "error_info": "text",
    "msg_seq": "bigint",
    "msg_time": "bigint",
    "drop_reason": "text",
}


def next_slot(name: str) -> float | None:
    """``Pace.objects.filter(name=name).values_list("next_slot")``."""
    sql = 'SELECT next_slot FROM "notifications_pace" WHERE name = ?'
    return next((slot for (slot,) in execute(sql, [name])), None)


def lock_pace(name: str) -> Row | None:
    """``Pace.objects.select_for_update().filter(name=name)``, in the order of its fields."""
    rows = execute(
        "SELECT id, name, boot_id, next_slot, slow_until, claimed "  # noqa: S608  no user input
        f'FROM "notifications_pace" WHERE name = ? LIMIT 1{for_update()}',
        [name],
    )
    return next(iter(rows), None)


def save_pace(
    pk: int, boot_id: str, next_slot: float, slow_until: float, claimed: int
) -> None:
    """``Pace.save`` of a locked row."""
    execute(
        'UPDATE "notifications_pace" SET boot_id = ?, next_slot = ?, slow_until = ?, '
        "claimed = ? WHERE id = ?",
        [boot_id, next_slot, slow_until, claimed, pk],
    )


def running(
    now: datetime, unstoppable: Sequence[str], columns: Iterable[str]
) -> list[Row]:
    """``running_notifications(now).order_by("id")``; ``unstoppable`` are channels."""
    condition, values = among(unstoppable, "text")
    return execute(
        f'SELECT {", ".join(columns)} FROM "notifications_notification" '  # noqa: S608  no user input
        "WHERE status = 'sending' AND (not_after IS NULL OR not_after > ?) "
        f"AND (channel {condition} OR NOT EXISTS "
        '(SELECT 1 FROM "notifications_sendingswitch" WHERE is_off)) ORDER BY id',
        [moment(now), *values],
    )


def due(
    notification: int, limit: int, now: datetime, columns: Iterable[str]
) -> list[Row]:
    """Lock the first ``limit`` due deliveries that no other worker has locked.

    ``deliveries.filter(status=QUEUED, not_before__lte=now).order_by("not_before", "id")``
    with ``select_for_update(skip_locked=True)``.
    """
    return execute(
        f'SELECT {", ".join(columns)} FROM "notifications_delivery" '  # noqa: S608  no user input
        "WHERE notification_id = ? AND status = 'queued' AND not_before <= ? "
        f"ORDER BY not_before, id LIMIT ?{for_update(skip_locked=True)}",
        [notification, moment(now), limit],
    )


def used_numbers(numbers: Sequence[int]) -> set[int]:
    """``Delivery.objects.filter(random__in=numbers).values_list("random")``."""
    condition, values = among(numbers)
    sql = f'SELECT random FROM "notifications_delivery" WHERE random {condition}'  # noqa: S608  no user input
    return {number for (number,) in execute(sql, values)}


def mark(
    rows: Sequence[tuple[int, int | None, int | None]], worker_id: int, now: datetime
) -> int:
    """Mark queued rows as sending; return how many. A row is id, random, msg_seq.

    ``filter(pk__in=…, status=QUEUED).update(status=SENDING, owner=…, claimed_at=now,
    attempt_count=F("attempt_count") + 1, random=…, msg_seq=…)``; ``None`` changes nothing.
    """
    new, values = table_of(rows, ["bigint", "bigint", "bigint"])
    return len(
        execute(
            "UPDATE \"notifications_delivery\" SET status = 'sending', owner = ?, "  # noqa: S608  no user input
            "claimed_at = ?, attempt_count = attempt_count + 1, "
            "random = COALESCE(c1, random), msg_seq = COALESCE(c2, msg_seq) "
            f"FROM {new} WHERE id = c0 AND status = 'queued' RETURNING id",
            [worker_id, moment(now), *values],
        )
    )


def lock_notifications(ids: Sequence[int]) -> list[Row]:
    """``Notification.objects.order_by("pk").select_for_update()``: four columns."""
    condition, values = among(ids)
    return execute(
        'SELECT id, channel, status, doubt_streak FROM "notifications_notification" '  # noqa: S608  no user input
        f'WHERE id {condition} ORDER BY "notifications_notification"."id" ASC{for_update()}',
        values,
    )


def lock_owned(ids: Sequence[int], worker_id: int) -> set[int]:
    """``filter(pk__in=ids, status=SENDING, owner=worker_id).select_for_update()``."""
    condition, values = among(ids)
    rows = execute(
        "SELECT id FROM \"notifications_delivery\" WHERE status = 'sending' "  # noqa: S608  no user input
        f"AND owner = ? AND id {condition} "
        f'ORDER BY "notifications_delivery"."id" ASC{for_update()}',
        [worker_id, *values],
    )
    return {pk for (pk,) in rows}


def accept(
    rows: Sequence[tuple[int, int | None, int | None]], worker_id: int, now: datetime
) -> None:
    """Mark own rows as accepted. A row is id, msg_seq, msg_time.

    ``filter(status=SENDING, owner=worker_id).update(status=ACCEPTED, error_code=0, …)``;
    ``None`` changes nothing.
    """
    new, values = table_of(rows, ["bigint", "bigint", "bigint"])
    execute(
        "UPDATE \"notifications_delivery\" SET status = 'accepted', error_code = 0, "  # noqa: S608  no user input
        "error_info = '', reason = '', drop_reason = '', owner = NULL, "
        "finished_at = ?, msg_seq = COALESCE(c1, msg_seq), "
        "msg_time = COALESCE(c2, msg_time) "
        f"FROM {new} WHERE id = c0 AND status = 'sending' AND owner = ?",
        [moment(now), *values, worker_id],
    )


def insert_attempts(rows: Sequence[Sequence[Any]]) -> None:
    """``Attempt.objects.bulk_create``; the values are in the order of ``ATTEMPT``."""
    new, values = table_of(rows, list(ATTEMPT.values()))
    cells = ", ".join(f"c{index}" for index in range(len(ATTEMPT)))
    execute(
        f'INSERT INTO "notifications_attempt" ({", ".join(ATTEMPT)}) '  # noqa: S608  no user input
        f"SELECT {cells} FROM {new}",
        values,
    )
