"""Details of groups → our groups, and the list of what changed."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from notifications.im.reading import GroupInfo
from notifications.models import ChatGroup, GroupSync, SyncChange, SyncItem

from .compare import Comparison, compare
from .ending import locked

FIELDS = ["name", "former_names", "type", "member_count", "state", "checked_at"]


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
        items = SyncItem.objects.filter(
            sync_id=sync_id, is_done=False, group_id__in=asked
        ).in_bulk()
        ids = [item.group_id for item in items.values()]
        ours = {
            group.group_id: group
            for group in ChatGroup.objects.select_for_update().filter(group_id__in=ids)
        }
        _write(
            sync_id,
            [
                compare(group_id, ours.get(group_id), said.get(group_id))
                for group_id in ids
            ],
            now,
        )
        SyncItem.objects.filter(pk__in=items.keys()).update(is_done=True)


def _write(sync_id: int, found: Sequence[Comparison], now: datetime) -> None:
    for one in found:
        if one.group is not None and one.is_read:
            one.group.checked_at = now
        for change in one.changes:
            change.sync_id = sync_id
    groups = [(one, one.group) for one in found if one.group and one.is_read]
    ChatGroup.objects.bulk_create([group for one, group in groups if one.is_new])
    ChatGroup.objects.bulk_update(
        [group for one, group in groups if one.is_changed], FIELDS
    )
    same = [group.pk for one, group in groups if not (one.is_new or one.is_changed)]
    ChatGroup.objects.filter(pk__in=same).update(checked_at=now)
    SyncChange.objects.bulk_create(change for one in found for change in one.changes)
    if count := sum(one.members_changed for one in found):
        GroupSync.objects.filter(pk=sync_id).update(
            members_updated=F("members_updated") + count
        )
