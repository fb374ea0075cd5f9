"""Pages of Tencent's list → items: the groups whose details are to be asked.

A page is written in short pieces, so that a send beside it never waits for long; the
place in the list moves on with the last of them. After a kill in between the page is
read again, and what is there already is left alone.
"""

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef

from notifications.db.sql import insert_json, refresh_statistics
from notifications.groups.sync.finish import locked
from notifications.groups.sync.requests import ListRequest
from notifications.models import ChatGroup, GroupSync, GroupType, SyncChange, SyncItem
from notifications.tencent.calls.get_appid_group_list import GroupPage
from notifications.tencent.ids import is_group_id

# Without a filter last: it finds types that came after us.
PASSES = (*GroupType.values, "")

BLOCK = 1000

ID_MAX_LENGTH = 48


Pause = Callable[[], None]


def write_page(
    sync_id: int, asked: ListRequest, page: GroupPage, pause: Pause, block: int = BLOCK
) -> None:
    """Keep a page, ``block`` groups in a transaction. Raises ``RunEnded``."""
    good = [group_id for group_id in page.group_ids if is_group_id(group_id)]
    odd = [group_id for group_id in page.group_ids if not is_group_id(group_id)]
    for number in range(0, len(good), block):
        add_items(sync_id, good[number : number + block])
        pause()
    refresh_statistics(SyncItem, "group_id")
    refresh_statistics(ChatGroup, "group_id")
    if odd:
        _note_odd(sync_id, odd)
    move_on(sync_id, asked, page.next)


def move_on(sync_id: int, asked: ListRequest, next_page: int = 0) -> None:
    """To the next page, or with 0 to the next pass. Raises ``RunEnded``."""
    with transaction.atomic():
        locked(sync_id)
        # Of two that overlap for a moment the slower one moves nothing back.
        here = GroupSync.objects.filter(pk=sync_id, step=asked.step, next=asked.next)
        if next_page:
            here.update(next=next_page)
        else:
            here.update(step=asked.step + 1, next=0)


def add_missing(sync: GroupSync, pause: Pause, block: int = BLOCK) -> None:
    """Groups of ours that stand in no list are asked for as well. Raises ``RunEnded``.

    Only Tencent's own word closes a group. Those that were closed before are asked for
    only when they are in the list again.
    """
    listed = SyncItem.objects.filter(sync=sync, group_id=OuterRef("group_id"))
    missing = list(
        ChatGroup.objects.filter(~Exists(listed), created_at__lt=sync.started_at)
        .exclude(state=ChatGroup.State.CLOSED)
        .values_list("group_id", flat=True)
    )
    for number in range(0, len(missing), block):
        add_items(sync.pk, missing[number : number + block])
        pause()
    with transaction.atomic():
        locked(sync.pk)
        GroupSync.objects.filter(pk=sync.pk).update(is_listed=True)


def add_items(sync_id: int, group_ids: Sequence[str]) -> None:
    """Each ID once, whatever came before. Raises ``RunEnded``."""
    with transaction.atomic():
        locked(sync_id)
        insert_json(
            SyncItem,
            ["group_id"],
            [[group_id] for group_id in group_ids],
            same={"sync": sync_id, "is_done": False},
            on_conflict="DO NOTHING",
        )


def _note_odd(sync_id: int, group_ids: Sequence[str]) -> None:
    """IDs that we could not call: named once, since two passes list each group."""
    short = dict.fromkeys(group_id[:ID_MAX_LENGTH] for group_id in group_ids)
    with transaction.atomic():
        locked(sync_id)
        known = SyncChange.objects.filter(
            sync_id=sync_id, kind=SyncChange.Kind.NOT_READ, group_id__in=list(short)
        ).values_list("group_id", flat=True)
        SyncChange.objects.bulk_create(
            SyncChange(
                sync_id=sync_id, kind=SyncChange.Kind.NOT_READ, group_id=group_id
            )
            for group_id in short.keys() - set(known)
        )
