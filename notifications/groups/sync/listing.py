"""Pages of Tencent's list → items: the groups whose details are still to be read.

A page is written in short transactions, so that a concurrent send never waits for long.
The last one advances the position in the list. Meanwhile, the next page is requested. If
the worker is killed, reading continues from the stored position: pages that were not
written to their end are read again, and existing items are not changed.
"""

from collections.abc import Callable, Iterator, Sequence

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

END = object()


class ListReader:
    """The next request for a page, and the page that is being written meanwhile.

    ``request`` is not submitted yet; ``is_in_progress`` tells whether one is submitted.
    Pages are written in the order of the list, so that the stored position is right.
    """

    def __init__(
        self,
        sync: GroupSync,
        filters: Sequence[str],
        limit: int,
        block: int,
        pause: Callable[[], None],
    ) -> None:
        self.sync = sync
        self.filters = filters
        self.limit = limit
        self.block = block
        self.pause = pause
        self.request: ListRequest | None = None
        self.is_in_progress = False
        self.page_writer: Iterator[None] | None = None

    def begin(self) -> None:
        """Continue from the stored position."""
        self.sync.refresh_from_db()
        if not self.sync.is_listed:
            self._request_page(self.sync.step, self.sync.next)

    def add_page(self, request: ListRequest, page: GroupPage) -> None:
        """Start to write a page, and request the next one."""
        self._write_to_end()
        self.page_writer = write_page(self.sync.pk, request, page, self.block)
        self._request_page(*position_after(request, page.next))

    def skip(self, request: ListRequest) -> None:
        """Request the first page of the next filter."""
        self._write_to_end()
        advance(self.sync.pk, request)
        self._request_page(*position_after(request, 0))

    def write_block(self) -> bool:
        """Write the next block of the page, or at the end the groups in no page.

        Return whether there may be new items. Raises ``RunEnded``.
        """
        if self.page_writer is not None:
            if next(self.page_writer, END) is END:
                self.page_writer = None
            self.pause()
            return True
        if self.request or self.is_in_progress or self.sync.is_listed:
            return False
        add_missing(self.sync, self.pause, self.block)
        self.sync.refresh_from_db()
        return True

    def _write_to_end(self) -> None:
        while self.page_writer is not None:
            self.write_block()

    def _request_page(self, step: int, next_page: int) -> None:
        if step < len(self.filters):
            self.request = ListRequest(
                step=step,
                group_type=self.filters[step],
                next=next_page,
                limit=self.limit,
            )


def position_after(request: ListRequest, next_page: int) -> tuple[int, int]:
    """Return the number of the filter, and the page in its list, 0 for the first one."""
    return (request.step, next_page) if next_page else (request.step + 1, 0)


def write_page(
    sync_id: int, request: ListRequest, page: GroupPage, block: int = BLOCK
) -> Iterator[None]:
    """Write the items of a page, ``block`` in a step, and advance. Raises ``RunEnded``."""
    yield from _add_items(sync_id, [i for i in page.group_ids if is_group_id(i)], block)
    refresh_statistics(SyncItem, "group_id")
    refresh_statistics(ChatGroup, "group_id")
    if invalid := [i for i in page.group_ids if not is_group_id(i)]:
        _record_invalid(sync_id, invalid)
    advance(sync_id, request, page.next)


def advance(sync_id: int, request: ListRequest, next_page: int = 0) -> None:
    """Store the position after ``request``. Raises ``RunEnded``."""
    step, position = position_after(request, next_page)
    with transaction.atomic():
        lock_running(sync_id)
        # The filter prevents a slower worker that overlaps from moving backwards.
        GroupSync.objects.filter(
            pk=sync_id, step=request.step, next=request.next
        ).update(step=step, next=position)


def add_missing(sync: GroupSync, pause: Callable[[], None], block: int = BLOCK) -> None:
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
    for _block in _add_items(sync.pk, missing, block):
        pause()
    with transaction.atomic():
        lock_running(sync.pk)
        GroupSync.objects.filter(pk=sync.pk).update(is_listed=True)


def _add_items(sync_id: int, group_ids: Sequence[str], block: int) -> Iterator[None]:
    """Add an item for each ID that has none yet, ``block`` in a step."""
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
        yield


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
