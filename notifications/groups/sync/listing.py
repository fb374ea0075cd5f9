"""Pages of Tencent's list → items: the groups whose details are still to be read.

A page is written in short transactions, so that a concurrent send never waits for long.
The last one advances the position in the list. If the worker is killed before that, the
page is read again, and existing items are not changed.
"""

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef

from notifications.db.sql import insert_json, refresh_statistics
from notifications.groups.sync.finish import lock_running
from notifications.groups.sync.requests import ListRequest
from notifications.models import ChatGroup, GroupSync, GroupType, SyncChange, SyncItem
from notifications.tencent.calls.get_appid_group_list import (
    GetAppidGroupList,
    GroupPage,
)
from notifications.tencent.ids import is_group_id

# The types to list, one pass each. The last pass has no filter: it also lists types that
# this program does not know.
LIST_FILTERS = (*GroupType.values, "")

# One list request is in progress at a time, and a late one delays the next. The margin
# only allows for a network latency that differs between two requests.
LISTS_PER_SECOND = 0.97 * GetAppidGroupList.CALLS_PER_SECOND

BLOCK = 1000

ID_MAX_LENGTH = 48

Pause = Callable[[], None]


def next_request(
    sync: GroupSync, filters: Sequence[str], limit: int
) -> ListRequest | None:
    """Request for the page at the stored position; ``None`` after the last filter."""
    if sync.step >= len(filters):
        return None
    group_type = filters[sync.step]
    return ListRequest(
        step=sync.step, group_type=group_type, next=sync.next, limit=limit
    )


def write_page(
    sync_id: int,
    request: ListRequest,
    page: GroupPage,
    pause: Pause,
    block: int = BLOCK,
) -> None:
    """Write the items of a page, ``block`` in a transaction. Raises ``RunEnded``."""
    _add_items(sync_id, [i for i in page.group_ids if is_group_id(i)], pause, block)
    refresh_statistics(SyncItem, "group_id")
    refresh_statistics(ChatGroup, "group_id")
    if invalid := [i for i in page.group_ids if not is_group_id(i)]:
        _record_invalid(sync_id, invalid)
    advance(sync_id, request, page.next)


def advance(sync_id: int, request: ListRequest, next_page: int = 0) -> None:
    """Move to the next page, or with 0 to the next filter. Raises ``RunEnded``."""
    with transaction.atomic():
        lock_running(sync_id)
        # The filter prevents a slower worker that overlaps from moving backwards.
        position = GroupSync.objects.filter(
            pk=sync_id, step=request.step, next=request.next
        )
        if next_page:
            position.update(next=next_page)
        else:
            position.update(step=request.step + 1, next=0)


def add_missing(sync: GroupSync, pause: Pause, block: int = BLOCK) -> None:
    """Add items for existing groups that no page contains. Raises ``RunEnded``.

    A missing group is closed only if Tencent returns the code for a deleted group. Closed
    groups are read only if the list contains them again.
    """
    listed = SyncItem.objects.filter(sync=sync, group_id=OuterRef("group_id"))
    missing = list(
        ChatGroup.objects.filter(~Exists(listed), created_at__lt=sync.started_at)
        .exclude(state=ChatGroup.State.CLOSED)
        .values_list("group_id", flat=True)
    )
    _add_items(sync.pk, missing, pause, block)
    with transaction.atomic():
        lock_running(sync.pk)
        GroupSync.objects.filter(pk=sync.pk).update(is_listed=True)


def _add_items(
    sync_id: int, group_ids: Sequence[str], pause: Pause, block: int
) -> None:
    """Add an item for each ID that has none yet. Raises ``RunEnded``."""
    for start in range(0, len(group_ids), block):
        with transaction.atomic():
            lock_running(sync_id)
            insert_json(
                SyncItem,
                ["group_id"],
                [[group_id] for group_id in group_ids[start : start + block]],
                same={"sync": sync_id, "is_done": False},
                on_conflict="DO NOTHING",
            )
        pause()


def _record_invalid(sync_id: int, group_ids: Sequence[str]) -> None:
    """Record IDs that cannot be used in a call, once each: two filters list a group."""
    short = dict.fromkeys(group_id[:ID_MAX_LENGTH] for group_id in group_ids)
    with transaction.atomic():
        lock_running(sync_id)
        known = SyncChange.objects.filter(
            sync_id=sync_id, kind=SyncChange.Kind.NOT_READ, group_id__in=list(short)
        ).values_list("group_id", flat=True)
        SyncChange.objects.bulk_create(
            SyncChange(
                sync_id=sync_id, kind=SyncChange.Kind.NOT_READ, group_id=group_id
            )
            for group_id in short.keys() - set(known)
        )
