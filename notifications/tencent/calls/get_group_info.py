"""Get the type, name and number of members of groups.

Source: https://cloud.tencent.com/document/product/269/1616.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from notifications.tencent.calls.base import (
    Call,
    OtherShape,
    check_count,
    id_in,
    rows_in,
)
from notifications.tencent.responses import Fields, is_code, storable

_MEMBERS = range(2**31)


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """One group, or the ``error_code`` with which Tencent refuses its details.

    ``type`` and ``name`` may be empty; ``member_count`` is ``None`` if Tencent returns
    none, as for live rooms.
    """

    group_id: str
    error_code: int = 0
    error_info: str = ""
    type: str = ""
    name: str = ""
    member_count: int | None = None


@dataclass(frozen=True, slots=True)
class GetGroupInfo(Call[tuple[GroupInfo, ...]]):
    """Each group in the response has its own ErrorCode, even in an accepted call."""

    COMMAND = "get_group_info"
    MAX_GROUPS = 50

    group_ids: Sequence[str]

    def check(self) -> None:
        check_count(self.group_ids, self.MAX_GROUPS)

    def payload(self) -> dict[str, object]:
        return {
            "GroupIdList": list(self.group_ids),
            # Without a filter, Tencent adds lists of members: too large a response.
            "ResponseFilter": {"GroupBaseInfoFilter": ["Type", "Name", "MemberNum"]},
        }

    def parse(self, fields: Fields) -> tuple[GroupInfo, ...]:
        return tuple(_info(row) for row in rows_in(fields, "GroupInfo"))


def _info(row: Fields) -> GroupInfo:
    group_id = id_in(row, "GroupId")
    code = row.get("ErrorCode", 0)
    if not is_code(code):
        raise OtherShape("The ErrorCode of a group")
    if code:
        return GroupInfo(group_id, code, storable(row.get("ErrorInfo", "")))
    count = row.get("MemberNum")
    is_number = type(count) is int and count in _MEMBERS
    return GroupInfo(
        group_id,
        type=_line(row.get("Type")),
        name=_line(row.get("Name")),
        member_count=count if is_number else None,
    )


def _line(value: object) -> str:
    """A text on one line: control characters become spaces, its ends are stripped."""
    if not isinstance(value, str):
        return ""
    if value.isprintable():
        return value.strip()
    replaced = "Cc", "Cs"  # control characters and surrogates
    return "".join(
        " " if unicodedata.category(char) in replaced else char for char in value
    ).strip()
