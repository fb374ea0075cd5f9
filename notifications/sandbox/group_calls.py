"""What the stand-in answers to the calls that read groups.

Checked as in ``protocol.py``, from the documents alone: the list of groups (269/1614),
the details of up to 50 (269/1616), the members of one (269/112002).
"""

import json
from collections.abc import Mapping
from typing import Any

from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.protocol import GROUP_ID, RequestRefused
from notifications.tencent.calls.get_appid_group_list import GetAppidGroupList
from notifications.tencent.calls.get_group_info import GetGroupInfo
from notifications.tencent.calls.get_specified_group_member_info import (
    GetSpecifiedGroupMemberInfo,
)

LIST = GetAppidGroupList.path()

INFO = GetGroupInfo.path()

MEMBERS = GetSpecifiedGroupMemberInfo.path()

PATHS = (LIST, INFO, MEMBERS)

MAX_ANSWER = 1024 * 1024

MAX_PAGE = 10_000

MOST_ASKED = 50

# The documents warn that Next may need more than 32 bits; here it always does.
NEXT_BASE = 2**40

# Types that the filter of the list knows.
FILTERS = {"Public", "Private", "ChatRoom", "AVChatRoom", "BChatRoom", "Community"}

NO_MEMBER_NUMBER = "AVChatRoom"


Groups = Mapping[str, SandboxGroup]


def fields_of(path: str, body: bytes, groups: Groups) -> dict[str, Any]:
    """The fields of the answer beside the three that all have. Raises ``Refused``."""
    try:
        asked = json.loads(body)
    except ValueError:
        raise RequestRefused(60003, "the body is no JSON") from None
    if not isinstance(asked, dict):
        raise RequestRefused(60003, "the body is no JSON object")
    fields = {LIST: _list, INFO: _info, MEMBERS: _members}[path](asked, groups)
    if len(json.dumps(fields)) > MAX_ANSWER:
        raise RequestRefused(10018, "the answer is larger than 1 MB")
    return fields


def _list(asked: Mapping[str, Any], groups: Groups) -> dict[str, Any]:
    limit, token = asked.get("Limit", MAX_PAGE), asked.get("Next", 0)
    wanted = asked.get("GroupType")
    if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
        raise RequestRefused(10004, "Limit is from 1 to 10000")
    if type(token) is not int or (token and token < NEXT_BASE):
        raise RequestRefused(10004, "Next is not one of ours")
    if wanted is not None and wanted not in FILTERS:
        raise RequestRefused(10004, "GroupType is not one of ours")
    found = [g for g in list(groups.values()) if wanted in (None, g.type)]
    first = token - NEXT_BASE if token else 0
    last = first + limit
    return {
        "TotalCount": len(found),
        "GroupIdList": [{"GroupId": group.group_id} for group in found[first:last]],
        "Next": NEXT_BASE + last if last < len(found) else 0,
    }


def _info(asked: Mapping[str, Any], groups: Groups) -> dict[str, Any]:
    ids = _texts(asked, "GroupIdList")
    response_filter = asked.get("ResponseFilter", {})
    wanted = response_filter.get("GroupBaseInfoFilter", ["Type", "Name", "MemberNum"])
    return {"GroupInfo": [_one(group_id, groups, wanted) for group_id in ids]}


def _one(group_id: str, groups: Groups, wanted: list[str]) -> dict[str, Any]:
    if not GROUP_ID.fullmatch(group_id):
        return _no_group(group_id, 10015, "GroupId has a wrong form")
    group = groups.get(group_id)
    if group is None:
        return _no_group(group_id, 10010, "group not exist")
    values = {"Type": group.type, "Name": group.name, "MemberNum": group.size}
    if group.type == NO_MEMBER_NUMBER:
        del values["MemberNum"]
    shown = {name: value for name, value in values.items() if name in wanted}
    return {"GroupId": group_id, "ErrorCode": 0, "ErrorInfo": "", **shown}


def _no_group(group_id: str, code: int, text: str) -> dict[str, Any]:
    return {"GroupId": group_id, "ErrorCode": code, "ErrorInfo": text}


def _members(asked: Mapping[str, Any], groups: Groups) -> dict[str, Any]:
    group_id = asked.get("GroupId")
    accounts = _texts(asked, "Member_List_Account", too_many=10005)
    if not isinstance(group_id, str):
        raise RequestRefused(10004, "GroupId must be text")
    if not GROUP_ID.fullmatch(group_id):
        raise RequestRefused(10015, "GroupId has a wrong form")
    group = groups.get(group_id)
    if group is None:
        raise RequestRefused(10010, "group does not exist")
    if group.type == NO_MEMBER_NUMBER:
        raise RequestRefused(10007, f"{group.type} does not support this")
    found = [account for account in accounts if account in group.members]
    return {
        "GroupId": group_id,
        "MemberList": [{"Member_Account": a, "Role": "Member"} for a in found],
    }


def _texts(asked: Mapping[str, Any], name: str, *, too_many: int = 10004) -> list[str]:
    """A list of 1 to 50 texts, each once. Raises ``Refused``."""
    values = asked.get(name)
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise RequestRefused(10004, f"{name} must be a list of text")
    if not 1 <= len(values) <= MOST_ASKED:
        raise RequestRefused(too_many, f"{name} has 1 to {MOST_ASKED} values")
    return list(dict.fromkeys(values))
