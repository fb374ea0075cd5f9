"""The sandbox's responses to the calls that read groups.

The checks follow the documents alone, as in ``protocol.py``: the list of groups
(269/1614), the details of up to 50 (269/1616), the members of one (269/112002).
"""

import json
from collections.abc import Mapping
from typing import Any

from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.protocol import GROUP_ID, RequestRefused, json_object
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

MAX_VALUES = 50

# The documents warn that Next may exceed 32 bits; here it always does.
NEXT_BASE = 2**40

# The types that the filter of the list accepts.
FILTERS = {"Public", "Private", "ChatRoom", "AVChatRoom", "BChatRoom", "Community"}

NO_MEMBER_NUMBER = "AVChatRoom"


Groups = Mapping[str, SandboxGroup]


def fields_of(path: str, body: bytes, groups: Groups) -> dict[str, Any]:
    """The fields of the answer that only this call has. Raises ``RequestRefused``."""
    handle = {LIST: _list, INFO: _info, MEMBERS: _members}[path]
    fields = handle(json_object(body), groups)
    if len(json.dumps(fields)) > MAX_ANSWER:
        raise RequestRefused(10018, "the answer is larger than 1 MB")
    return fields


def _list(request: Mapping[str, Any], groups: Groups) -> dict[str, Any]:
    limit, token = request.get("Limit", MAX_PAGE), request.get("Next", 0)
    group_type = request.get("GroupType")
    if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
        raise RequestRefused(10004, "Limit is from 1 to 10000")
    if type(token) is not int or (token and token < NEXT_BASE):
        raise RequestRefused(10004, "Next is not one of ours")
    if group_type is not None and group_type not in FILTERS:
        raise RequestRefused(10004, "GroupType is not one of ours")
    matches = [g for g in list(groups.values()) if group_type in (None, g.type)]
    first = token - NEXT_BASE if token else 0
    last = first + limit
    return {
        "TotalCount": len(matches),
        "GroupIdList": [{"GroupId": group.group_id} for group in matches[first:last]],
        "Next": NEXT_BASE + last if last < len(matches) else 0,
    }


def _info(request: Mapping[str, Any], groups: Groups) -> dict[str, Any]:
    ids = _texts(request, "GroupIdList")
    response_filter = request.get("ResponseFilter", {})
    names = response_filter.get("GroupBaseInfoFilter", ["Type", "Name", "MemberNum"])
    return {"GroupInfo": [_group_info(group_id, groups, names) for group_id in ids]}


def _group_info(group_id: str, groups: Groups, names: list[str]) -> dict[str, Any]:
    if not GROUP_ID.fullmatch(group_id):
        return _no_group(group_id, 10015, "GroupId has a wrong form")
    group = groups.get(group_id)
    if group is None:
        return _no_group(group_id, 10010, "group not exist")
    values = {"Type": group.type, "Name": group.name, "MemberNum": group.size}
    if group.type == NO_MEMBER_NUMBER:
        del values["MemberNum"]
    shown = {name: value for name, value in values.items() if name in names}
    return {"GroupId": group_id, "ErrorCode": 0, "ErrorInfo": "", **shown}


def _no_group(group_id: str, code: int, text: str) -> dict[str, Any]:
    return {"GroupId": group_id, "ErrorCode": code, "ErrorInfo": text}


def _members(request: Mapping[str, Any], groups: Groups) -> dict[str, Any]:
    group_id = request.get("GroupId")
    accounts = _texts(request, "Member_List_Account", too_many=10005)
    if not isinstance(group_id, str):
        raise RequestRefused(10004, "GroupId must be text")
    if not GROUP_ID.fullmatch(group_id):
        raise RequestRefused(10015, "GroupId has a wrong form")
    group = groups.get(group_id)
    if group is None:
        raise RequestRefused(10010, "group does not exist")
    if group.type == NO_MEMBER_NUMBER:
        raise RequestRefused(10007, f"{group.type} does not support this")
    members = [account for account in accounts if account in group.members]
    return {
        "GroupId": group_id,
        "MemberList": [{"Member_Account": a, "Role": "Member"} for a in members],
    }


def _texts(
    request: Mapping[str, Any], name: str, *, too_many: int = 10004
) -> list[str]:
    """A list of 1 to 50 texts without duplicates. Raises ``RequestRefused``."""
    values = request.get(name)
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise RequestRefused(10004, f"{name} must be a list of text")
    if not 1 <= len(values) <= MAX_VALUES:
        raise RequestRefused(too_many, f"{name} has 1 to {MAX_VALUES} values")
    return list(dict.fromkeys(values))
