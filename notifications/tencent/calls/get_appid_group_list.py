"""List the IDs of all groups, page by page.

Source: https://cloud.tencent.com/document/product/269/1614.
"""

from dataclasses import dataclass

from notifications.tencent.calls.base import Call, id_in, integer_in, rows_in
from notifications.tencent.responses import Fields

# The page's Next exceeds 32 bits; a database column holds 63.
_INT64 = range(2**63)


@dataclass(frozen=True, slots=True)
class GroupPage:
    """``next`` is 0 on the last page; ``total`` counts the groups of all pages."""

    group_ids: tuple[str, ...]
    next: int
    total: int


@dataclass(frozen=True, slots=True)
class GetAppidGroupList(Call[GroupPage]):
    """Get one page; ``group_type=""`` lists every type.

    ``next_page`` is 0 for the first page, then ``next`` of the previous page.
    """

    COMMAND = "get_appid_group_list"
    CALLS_PER_SECOND = 1
    MAX_GROUPS = 10_000

    group_type: str
    next_page: int
    limit: int

    def check(self) -> None:
        if not 1 <= self.limit <= self.MAX_GROUPS:
            raise ValueError(
                f"A page has 1 to {self.MAX_GROUPS} IDs, not {self.limit}."
            )

    def payload(self) -> dict[str, object]:
        payload: dict[str, object] = {"Limit": self.limit, "Next": self.next_page}
        if self.group_type:
            payload["GroupType"] = self.group_type
        return payload

    def parse(self, fields: Fields) -> GroupPage:
        next_page = integer_in(fields, "Next", _INT64)
        total = integer_in(fields, "TotalCount", _INT64)
        # Some services omit empty lists.
        is_listed = total or "GroupIdList" in fields
        rows = rows_in(fields, "GroupIdList") if is_listed else []
        return GroupPage(tuple(id_in(row, "GroupId") for row in rows), next_page, total)
