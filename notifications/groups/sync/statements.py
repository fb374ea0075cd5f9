"""The statements that write the details of groups, each with the ORM query it replaces.

A sync of 100,000 groups makes each of them 500 times, with 200 rows. The ORM has one
placeholder for each value, and the driver of PostgreSQL needs more time to take these
apart than the server needs for the rows. ``tests/groups/sync/test_statements.py``
compares both on the same rows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from notifications.db.prepared import Row, among, execute, for_update, moment, table_of

# The columns that a sync reads and writes, with their types on PostgreSQL.
GROUP = {
    "group_id": "text",
    "name": "text",
    "type": "text",
    "member_count": "integer",
    "state": "text",
    "former_names": "text",
}
CHANGE = {
    "kind": "text",
    "group_id": "text",
    "name": "text",
    "before": "jsonb",
    "after": "jsonb",
}


def pending_items(sync_id: int, after: int, limit: int) -> list[Row]:
    """``SyncItem.objects.filter(sync=…, is_done=False, pk__gt=after).order_by("pk")``."""
    return execute(
        'SELECT id, group_id FROM "notifications_syncitem" '
        "WHERE sync_id = ? AND NOT is_done AND id > ? ORDER BY id LIMIT ?",
        [sync_id, after, limit],
    )


def groups(group_ids: Sequence[str]) -> list[Row]:
    """``ChatGroup.objects.filter(group_id__in=…).values_list("pk", *GROUP)``."""
    return _groups(group_ids, "")


def lock_groups(group_ids: Sequence[str]) -> list[Row]:
    """The same with ``order_by("pk").select_for_update(no_key=True)``."""
    locks = ' ORDER BY "notifications_chatgroup"."id" ASC'
    return _groups(group_ids, locks + for_update().replace("UPDATE", "NO KEY UPDATE"))


def _groups(group_ids: Sequence[str], end: str) -> list[Row]:
    condition, values = among(group_ids, "text")
    return execute(
        f'SELECT id, {", ".join(GROUP)} FROM "notifications_chatgroup" '  # noqa: S608  no user input
        f"WHERE group_id {condition}{end}",
        values,
    )


def mark_done(sync_id: int, group_ids: Sequence[str]) -> set[str]:
    """Mark the items of these groups as done; return the groups that were not done.

    ``SyncItem.objects.filter(sync=…, group_id__in=…, is_done=False).update(is_done=True)``
    """
    condition, values = among(group_ids, "text")
    # COALESCE hides the condition of "sync_item_to_do": without statistics of such a new
    # table PostgreSQL would use that index, and scan all pending items.
    rows = execute(
        'UPDATE "notifications_syncitem" SET is_done = true '  # noqa: S608  no user input
        f"WHERE sync_id = ? AND group_id {condition} AND NOT COALESCE(is_done, false) "
        "RETURNING group_id",
        [sync_id, *values],
    )
    return {group_id for (group_id,) in rows}


def insert_groups(rows: Sequence[Sequence[Any]], now: datetime) -> int:
    """Insert the groups that are not there yet; return how many.

    ``ChatGroup.objects.bulk_create(…, ignore_conflicts=True)``, ``rows`` as ``GROUP``.
    """
    new, values = table_of(rows, list(GROUP.values()))
    return len(
        execute(
            f'INSERT INTO "notifications_chatgroup" ({", ".join(GROUP)}, checked_at, '  # noqa: S608  no user input
            f"created_at) SELECT {_cells(GROUP)}, ?, ? FROM {new} WHERE true "
            "ON CONFLICT (group_id) DO NOTHING RETURNING id",
            [moment(now), moment(now), *values],
        )
    )


def update_groups(rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """``ChatGroup.objects.bulk_update``; a row is as ``GROUP``, and found by group ID."""
    new, values = table_of(rows, list(GROUP.values()))
    changes = ", ".join(
        f"{name} = c{index}" for index, name in enumerate(GROUP) if name != "group_id"
    )
    execute(
        f'UPDATE "notifications_chatgroup" SET {changes}, checked_at = ? '  # noqa: S608  no user input
        f"FROM {new} WHERE group_id = c0",
        [moment(now), *values],
    )


def confirm_groups(keys: Sequence[int], now: datetime) -> None:
    """``ChatGroup.objects.filter(pk__in=keys).update(checked_at=now)``."""
    condition, values = among(keys)
    execute(
        f'UPDATE "notifications_chatgroup" SET checked_at = ? WHERE id {condition}',  # noqa: S608  no user input
        [moment(now), *values],
    )


def insert_changes(sync_id: int, rows: Sequence[Sequence[Any]]) -> None:
    """``SyncChange.objects.bulk_create``; ``rows`` as ``CHANGE``."""
    new, values = table_of(rows, list(CHANGE.values()))
    execute(
        f'INSERT INTO "notifications_syncchange" ({", ".join(CHANGE)}, sync_id) '  # noqa: S608  no user input
        f"SELECT {_cells(CHANGE)}, ? FROM {new}",
        [sync_id, *values],
    )


def _cells(columns: dict[str, str]) -> str:
    return ", ".join(f"c{index}" for index in range(len(columns)))
