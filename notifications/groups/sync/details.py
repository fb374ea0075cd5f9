"""Details of groups → our groups, and the list of what changed."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from notifications.db.sql import insert_json, stored, update
from notifications.groups.sync.compare import Comparison, KnownGroup, compare
from notifications.groups.sync.finish import locked
from notifications.models import ChatGroup, GroupSync, SyncChange, SyncItem
from notifications.tencent.calls.get_group_info import GroupInfo

FIELDS = ["group_id", "name", "type", "member_count", "state", "former_names"]


Found = list[tuple[int | None, Comparison]]  # with the number of our group


def write_details(
    sync_id: int, asked: Sequence[str], infos: Sequence[GroupInfo], now: datetime
) -> None:
    """Write what Tencent said of the groups that were ``asked`` for.

    All is read and compared before the transaction, so that it is short; within it only
    groups that change are looked at again. Groups whose item is done already are left
    alone, so nothing is counted twice. Raises ``RunEnded``; ``DatabaseError`` when
    somebody else added one of the groups meanwhile: then it is asked again.
    """
    said = {info.group_id: info for info in infos}
    items = _items(sync_id, asked)
    found = _compared(items, said)
    unsteady = [
        one.group.group_id for _pk, one in found if one.group and one.is_changed
    ]
    with transaction.atomic():
        locked(sync_id)
        left = _items(sync_id, asked)
        if left != items:  # another worker was faster with some of them
            found = _compared(left, said)
        elif unsteady:
            steady = [pair for pair in found if not pair[1].is_changed]
            found = [*steady, *_compared(unsteady, said)]
        _write_groups(found, now)
        _write_changes(sync_id, [comparison for _pk, comparison in found])
        SyncItem.objects.filter(pk__in=left.values()).update(is_done=True)


def _items(sync_id: int, asked: Sequence[str]) -> dict[str, int]:
    """Those that are still to be done, by ID of the group."""
    # Not asked of the database: without statistics of so new a table PostgreSQL would
    # look through all that is to be done.
    items = SyncItem.objects.filter(sync_id=sync_id, group_id__in=asked)
    return {
        group_id: pk
        for group_id, pk, is_done in items.values_list("group_id", "pk", "is_done")
        if not is_done
    }


def _compared(group_ids: Collection[str], said: Mapping[str, GroupInfo]) -> Found:
    groups = ChatGroup.objects.filter(group_id__in=group_ids).order_by()
    if connection.in_atomic_block:
        groups = groups.select_for_update()
    ours = {
        group_id: (pk, KnownGroup(group_id, *values))
        for pk, group_id, *values in groups.values_list("pk", *FIELDS)
    }
    found: Found = []
    for group_id in group_ids:
        pk, old = ours.get(group_id, (None, None))
        found.append((pk, compare(group_id, old, said.get(group_id))))
    return found


def _write_groups(found: Found, now: datetime) -> None:
    read = [(pk, one, one.group) for pk, one in found if one.group and one.is_read]
    insert_json(
        ChatGroup,
        FIELDS,
        [_values(group) for pk, _one, group in read if pk is None],
        same={"checked_at": now, "created_at": now},
    )
    checked_at = stored(ChatGroup, "checked_at", now)
    update(
        ChatGroup,
        [*FIELDS, "checked_at"],
        [
            (*_values(group), checked_at, pk)
            for pk, one, group in read
            if one.is_changed
        ],
    )
    same = [pk for pk, one, _group in read if pk is not None and not one.is_changed]
    ChatGroup.objects.filter(pk__in=same).update(checked_at=now)


def _values(group: KnownGroup) -> list[object]:
    return [getattr(group, name) for name in FIELDS]


def _write_changes(sync_id: int, found: Sequence[Comparison]) -> None:
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
            for one in found
            for change in one.changes
        ],
        same={"sync": sync_id},
    )
    if count := sum(one.members_changed for one in found):
        GroupSync.objects.filter(pk=sync_id).update(
            members_updated=F("members_updated") + count
        )
