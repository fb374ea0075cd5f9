"""Details of groups from Tencent → chat groups, and the changes made to them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from django.db import transaction
from django.db.models import F, QuerySet

from notifications.db.prepared import Row
from notifications.db.sql import lock_tables
from notifications.groups.sync import statements
from notifications.groups.sync.compare import Comparison, KnownGroup, compare
from notifications.groups.sync.finish import lock_running
from notifications.models import ChatGroup, GroupSync, SyncItem
from notifications.tencent.calls.get_group_info import GetGroupInfo, GroupInfo


class GroupAddedMeanwhile(Exception):
    """An import or a person added one of the groups. The request is to be repeated."""


# Key of the existing group, or None, and its comparison.
Comparisons = list[tuple[int | None, Comparison]]


def pending_items(sync_id: int, after: int = 0) -> QuerySet[SyncItem]:
    """Items that are not done, in order; ``after`` is the key of an item."""
    items = SyncItem.objects.filter(sync=sync_id, is_done=False, pk__gt=after)
    return items.order_by("pk")


def pending_batches(
    sync_id: int, after: int, count: int
) -> list[list[tuple[int, str]]]:
    """Key and group ID of pending items, in batches for one call each."""
    size = GetGroupInfo.MAX_GROUPS
    rows = [
        (pk, id_) for pk, id_ in statements.pending_items(sync_id, after, count * size)
    ]
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def write_details(
    sync_id: int, group_ids: Sequence[str], infos: Sequence[GroupInfo], now: datetime
) -> None:
    """Write the details that Tencent returned for the requested ``group_ids``.

    All groups are read and compared before the transaction, which keeps it short; within
    it all are locked, and only those that another transaction changed meanwhile are
    compared again. Groups whose item is done are skipped, so no change is counted twice.
    Raises ``RunEnded``, and ``GroupAddedMeanwhile``.
    """
    infos_by_id = {info.group_id: info for info in infos}
    known = _by_group(statements.groups(group_ids))
    comparisons = {
        group_id: _compare(group_id, known.get(group_id), infos_by_id)
        for group_id in group_ids
    }
    with transaction.atomic():
        lock_running(sync_id)
        lock_tables(ChatGroup, shared=True)
        locked = _by_group(statements.lock_groups(group_ids))
        remaining = statements.mark_done(sync_id, group_ids)
        _write(
            sync_id,
            [
                comparisons[group_id]
                if locked.get(group_id) == known.get(group_id)
                else _compare(group_id, locked.get(group_id), infos_by_id)
                for group_id in dict.fromkeys(group_ids)
                if group_id in remaining
            ],
            now,
        )


def _by_group(rows: Iterable[Row]) -> dict[str, Row]:
    return {row[1]: row for row in rows}


def _compare(
    group_id: str, row: Row | None, infos: Mapping[str, GroupInfo]
) -> tuple[int | None, Comparison]:
    """``row`` is the key and the fields of the stored group."""
    pk, old = (row[0], KnownGroup(*row[1:])) if row else (None, None)
    return pk, compare(group_id, old, infos.get(group_id))


def _write(sync_id: int, comparisons: Comparisons, now: datetime) -> None:
    _write_groups(comparisons, now)
    _write_changes(sync_id, [comparison for _pk, comparison in comparisons])


def _write_groups(comparisons: Comparisons, now: datetime) -> None:
    confirmed = [
        (pk, one, one.group)
        for pk, one in comparisons
        if one.group and one.is_confirmed
    ]
    new = [_values(group) for pk, _one, group in confirmed if pk is None]
    if new and statements.insert_groups(new, now) < len(new):
        raise GroupAddedMeanwhile
    changed = [_values(group) for pk, one, group in confirmed if pk and one.is_changed]
    if changed:
        statements.update_groups(changed, now)
    same = [pk for pk, one, _group in confirmed if pk and not one.is_changed]
    if same:
        statements.confirm_groups(same, now)


_values = attrgetter(*statements.GROUP)


def _write_changes(sync_id: int, comparisons: Sequence[Comparison]) -> None:
    rows = [
        (
            str(change.kind),
            change.group_id,
            change.name,
            json.dumps(change.before),
            json.dumps(change.after),
        )
        for one in comparisons
        for change in one.changes
    ]
    if rows:
        statements.insert_changes(sync_id, rows)
    if count := sum(one.members_changed for one in comparisons):
        GroupSync.objects.filter(pk=sync_id).update(
            members_updated=F("members_updated") + count
        )
