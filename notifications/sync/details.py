"""Details of groups → our groups, and the list of what changed."""

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from notifications.im.reading import GroupInfo
from notifications.models import ChatGroup, GroupSync, SyncChange, SyncItem

from . import rows
from .compare import Comparison, Group, compare
from .ending import locked

FIELDS = ["group_id", "name", "type", "member_count", "state", "former_names"]


def write_details(
    sync_id: int, asked: Sequence[str], infos: Sequence[GroupInfo], now: datetime
) -> None:
    """Write what Tencent said of the groups that were ``asked`` for.

    One transaction. Groups whose item is done already are left alone, so nothing is
    counted twice. Raises ``RunEnded``.
    """
    said = {info.group_id: info for info in infos}
    with transaction.atomic():
        locked(sync_id)
        items = dict(
            SyncItem.objects.filter(
                sync_id=sync_id, is_done=False, group_id__in=asked
            ).values_list("group_id", "pk")
        )
        ours = {
            group_id: (pk, Group(group_id, *values))
            for pk, group_id, *values in ChatGroup.objects.select_for_update()
            .filter(group_id__in=items)
            .order_by()
            .values_list("pk", *FIELDS)
        }
        found: list[tuple[int | None, Comparison]] = []
        for group_id in items:
            pk, old = ours.get(group_id, (None, None))
            found.append((pk, compare(group_id, old, said.get(group_id))))
        _write_groups(found, now)
        _write_changes(sync_id, [comparison for _pk, comparison in found])
        SyncItem.objects.filter(pk__in=items.values()).update(is_done=True)


def _write_groups(
    found: Sequence[tuple[int | None, Comparison]], now: datetime
) -> None:
    moment = rows.stored(ChatGroup, "checked_at", now)
    read = [(pk, one, one.group) for pk, one in found if one.group and one.is_read]
    rows.insert(
        ChatGroup,
        [*FIELDS, "checked_at", "created_at"],
        [(*_values(group), moment, moment) for pk, _one, group in read if pk is None],
    )
    rows.update(
        ChatGroup,
        [*FIELDS, "checked_at"],
        [(*_values(group), moment, pk) for pk, one, group in read if one.is_changed],
    )
    same = [pk for pk, one, _group in read if pk is not None and not one.is_changed]
    ChatGroup.objects.filter(pk__in=same).update(checked_at=now)


def _values(group: Group) -> list[object]:
    return [getattr(group, name) for name in FIELDS]


def _write_changes(sync_id: int, found: Sequence[Comparison]) -> None:
    rows.insert(
        SyncChange,
        ["sync", "kind", "group_id", "name", "before", "after"],
        [
            (
                sync_id,
                str(change.kind),
                change.group_id,
                change.name,
                json.dumps(change.before),
                json.dumps(change.after),
            )
            for one in found
            for change in one.changes
        ],
    )
    if count := sum(one.members_changed for one in found):
        GroupSync.objects.filter(pk=sync_id).update(
            members_updated=F("members_updated") + count
        )
