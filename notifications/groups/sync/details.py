"""Details of groups from Tencent → chat groups, and the changes made to them."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from notifications.db.sql import insert_json, lock_tables, stored, update
from notifications.groups.queries import known_ids
from notifications.groups.sync.compare import Comparison, KnownGroup, compare
from notifications.groups.sync.finish import lock_running
from notifications.models import ChatGroup, GroupSync, SyncChange, SyncItem
from notifications.tencent.calls.get_group_info import GetGroupInfo, GroupInfo

FIELDS = ["group_id", "name", "type", "member_count", "state", "former_names"]


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
    items = pending_items(sync_id, after)[: count * size]
    rows = list(items.values_list("pk", "group_id"))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def write_details(
    sync_id: int, group_ids: Sequence[str], infos: Sequence[GroupInfo], now: datetime
) -> None:
    """Write the details that Tencent returned for the requested ``group_ids``.

    All groups are read and compared before the transaction, which keeps it short; within
    it all are locked, and only groups with changes are compared again. Groups whose item
    is done are skipped, so no change is counted twice. Raises ``RunEnded``, and
    ``GroupAddedMeanwhile``.
    """
    infos_by_id = {info.group_id: info for info in infos}
    items = _pending_by_group(sync_id, group_ids)
    comparisons = _compare_all(items, infos_by_id)
    changing = [
        one.group.group_id for _pk, one in comparisons if one.group and one.is_changed
    ]
    with transaction.atomic():
        lock_running(sync_id)
        _lock_groups(group_ids)
        remaining = _pending_by_group(sync_id, group_ids)
        if remaining != items:  # another worker has written some of them
            comparisons = _compare_all(remaining, infos_by_id)
        elif changing:
            unchanged = [pair for pair in comparisons if not pair[1].is_changed]
            comparisons = [*unchanged, *_compare_all(changing, infos_by_id)]
        _write_groups(comparisons, now)
        _write_changes(sync_id, [comparison for _pk, comparison in comparisons])
        SyncItem.objects.filter(pk__in=remaining.values()).update(is_done=True)


def _lock_groups(group_ids: Sequence[str]) -> None:
    """Lock the groups in the order in which every transaction locks groups."""
    lock_tables(ChatGroup, shared=True)
    groups = ChatGroup.objects.filter(group_id__in=group_ids).order_by("pk")
    list(groups.select_for_update(no_key=True).values_list("pk"))


def _pending_by_group(sync_id: int, group_ids: Sequence[str]) -> dict[str, int]:
    """Keys of the items that are not done, by group ID."""
    # is_done is not part of the query: without statistics of such a new table PostgreSQL
    # would scan all pending items.
    items = SyncItem.objects.filter(sync_id=sync_id, group_id__in=group_ids)
    return {
        group_id: pk
        for group_id, pk, is_done in items.values_list("group_id", "pk", "is_done")
        if not is_done
    }


def _compare_all(
    group_ids: Collection[str], infos: Mapping[str, GroupInfo]
) -> Comparisons:
    groups = ChatGroup.objects.filter(group_id__in=group_ids).order_by()
    known = {
        group_id: (pk, KnownGroup(group_id, *values))
        for pk, group_id, *values in groups.values_list("pk", *FIELDS)
    }
    comparisons: Comparisons = []
    for group_id in group_ids:
        pk, old = known.get(group_id, (None, None))
        comparisons.append((pk, compare(group_id, old, infos.get(group_id))))
    return comparisons


def _write_groups(comparisons: Comparisons, now: datetime) -> None:
    confirmed = [
        (pk, one, one.group)
        for pk, one in comparisons
        if one.group and one.is_confirmed
    ]
    _insert_groups([group for pk, _one, group in confirmed if pk is None], now)
    checked_at = stored(ChatGroup, "checked_at", now)
    update(
        ChatGroup,
        [*FIELDS, "checked_at"],
        [
            (*_values(group), checked_at, pk)
            for pk, one, group in confirmed
            if one.is_changed
        ],
    )
    unchanged = [
        pk for pk, one, _group in confirmed if pk is not None and not one.is_changed
    ]
    ChatGroup.objects.filter(pk__in=unchanged).update(checked_at=now)


def _insert_groups(groups: Sequence[KnownGroup], now: datetime) -> None:
    times = {"checked_at": now, "created_at": now}
    try:
        with transaction.atomic():
            insert_json(ChatGroup, FIELDS, list(map(_values, groups)), same=times)
    except IntegrityError:
        if known_ids([group.group_id for group in groups]):
            raise GroupAddedMeanwhile from None
        raise


def _values(group: KnownGroup) -> list[object]:
    return [getattr(group, name) for name in FIELDS]


def _write_changes(sync_id: int, comparisons: Sequence[Comparison]) -> None:
    insert_json(
        SyncChange,
        ["kind", "group_id", "name", "before", "after"],
        [
            (
                str(change.kind),
                change.group_id,
                change.name,
                json.dumps(change.before),
                json.dumps(change.after),
            )
            for one in comparisons
            for change in one.changes
        ],
        same={"sync": sync_id},
    )
    if count := sum(one.members_changed for one in comparisons):
        GroupSync.objects.filter(pk=sync_id).update(
            members_updated=F("members_updated") + count
        )
