"""Check which accounts are members of a group.

Source: https://cloud.tencent.com/document/product/269/112002.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notifications.tencent.calls.base import Call, check_count, id_in, rows_in
from notifications.tencent.responses import Fields


@dataclass(frozen=True, slots=True)
class GetSpecifiedGroupMemberInfo(Call[frozenset[str]]):
    """Tencent does not support the call for live rooms."""

    COMMAND = "get_specified_group_member_info"
    MAX_MEMBERS = 50

    group_id: str
    members: Sequence[str]

    def check(self) -> None:
        check_count(self.members, self.MAX_MEMBERS)

    def payload(self) -> dict[str, object]:
        return {
            "GroupId": self.group_id,
            "Member_List_Account": list(self.members),
            "MemberInfoFilter": ["Role"],  # the account is always included
        }

    def parse(self, fields: Fields) -> frozenset[str]:
        """The accounts that are members; Tencent may omit an empty list."""
        rows = rows_in(fields, "MemberList") if "MemberList" in fields else []
        return frozenset(id_in(row, "Member_Account") for row in rows)
