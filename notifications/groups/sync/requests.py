"""Requests of a run: a page of the list, or the details of some groups."""

from dataclasses import dataclass
from typing import ClassVar

from notifications.tencent.calls.get_appid_group_list import GetAppidGroupList
from notifications.tencent.calls.get_group_info import GetGroupInfo


@dataclass(slots=True)
class PendingRequest:
    """A call that is repeated until it succeeds.

    ``due`` is a time of the machine's clock; ``failures`` counts the failed attempts.
    """

    due: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class ListRequest(PendingRequest):
    """A page of the list; ``group_type=""`` lists all types."""

    # A late start costs less than another second: one request is in progress at a time,
    # and the next one keeps its distance.
    may_start_late: ClassVar[bool] = True

    step: int = 0
    group_type: str = ""
    next: int = 0
    limit: int = GetAppidGroupList.MAX_GROUPS

    @property
    def call(self) -> GetAppidGroupList:
        return GetAppidGroupList(self.group_type, self.next, self.limit)


@dataclass(slots=True)
class DetailsRequest(PendingRequest):
    """The details of some groups."""

    may_start_late: ClassVar[bool] = False

    group_ids: tuple[str, ...] = ()

    @property
    def call(self) -> GetGroupInfo:
        return GetGroupInfo(self.group_ids)

    def halves(self) -> "tuple[DetailsRequest, DetailsRequest]":
        """Two requests for half of the groups each."""
        half = len(self.group_ids) // 2
        return (
            DetailsRequest(group_ids=self.group_ids[:half]),
            DetailsRequest(group_ids=self.group_ids[half:]),
        )
