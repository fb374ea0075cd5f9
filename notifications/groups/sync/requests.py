"""The calls of a run: a page of the list, or the details of some groups."""

from dataclasses import dataclass
from typing import ClassVar

from notifications.tencent.client import ImClient
from notifications.tencent.limits import MAX_GROUPS_PER_PAGE
from notifications.tencent.responses import GroupInfo, GroupPage, Read


@dataclass(slots=True)
class PendingRequest:
    """A call that is repeated until it is answered.

    ``due`` is a moment of the machine's clock; ``failures`` are the tries before.
    """

    due: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class Listing(PendingRequest):
    """A page of the list; ``group_type=""`` for all types."""

    # Late is better than another second: there is only one at a time, and the next one
    # keeps away from it.
    may_start_late: ClassVar[bool] = True

    step: int = 0
    group_type: str = ""
    next: int = 0
    limit: int = MAX_GROUPS_PER_PAGE

    def call(self, client: ImClient) -> Read[GroupPage]:
        return client.get_appid_group_list(self.group_type, self.next, self.limit)


@dataclass(slots=True)
class Batch(PendingRequest):
    """The details of some groups."""

    may_start_late: ClassVar[bool] = False

    group_ids: tuple[str, ...] = ()

    def call(self, client: ImClient) -> Read[tuple[GroupInfo, ...]]:
        return client.get_group_info(self.group_ids)
