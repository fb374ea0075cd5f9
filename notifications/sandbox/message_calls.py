"""The sandbox's responses to the calls that read messages.

Sources: the history (269/2738), receipts (269/77694).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from notifications.sandbox.application import EDITION_TOO_LOW
from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.message_request import (
    PRIORITIES,
    check_fields,
    is_flag,
    is_text,
)
from notifications.sandbox.messages import State, StoredMessage
from notifications.sandbox.protocol import GROUP_ID, RequestRefused, json_object
from notifications.sandbox.sending import LIVE_ROOM, MEMBER_TYPES, TYPES

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

HISTORY = "/v4/group_open_http_svc/group_msg_get_simple"

RECEIPTS = "/v4/group_open_http_svc/get_group_msg_receipt"

MAX_ROWS = 20

# Of a recall. For receipts, Tencent documents none.
MAX_MESSAGES = 10

NO_RECEIPTS = 10062

Check = Callable[[object], bool]


def is_number(value: object) -> bool:
    return type(value) is int and value >= 0


def is_seq_list(value: object) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= MAX_MESSAGES
        and all(
            isinstance(item, dict)
            and item.keys() == {"MsgSeq"}
            and is_number(item["MsgSeq"])
            for item in value
        )
    )


GROUP_FIELDS: dict[str, Check] = {"GroupId": is_text, "TopicId": is_text}


def read_request(
    body: bytes, checks: Mapping[str, Check], required: tuple[str, ...]
) -> dict[str, Any]:
    fields = json_object(body)
    check_fields(fields, {**GROUP_FIELDS, **checks}, ("GroupId", *required))
    if not GROUP_ID.fullmatch(fields["GroupId"]):
        raise RequestRefused(10015, "GroupId has a wrong form")
    return fields


def find_group(
    sandbox: "SandboxServer", group_id: str, types: set[str]
) -> SandboxGroup:
    group = sandbox.groups.get(group_id)
    if group is None:
        raise RequestRefused(10010, "group does not exist")
    if group.type not in types:
        raise RequestRefused(10007, f"{group.type} does not support this")
    return group


def history(sandbox: "SandboxServer", body: bytes) -> dict[str, Any]:
    """Raises ``RequestRefused``, as the other calls do."""
    fields = read_request(
        body,
        {
            "ReqMsgNumber": lambda value: type(value) is int and 1 <= value <= MAX_ROWS,
            "ReqMsgSeq": is_number,
            "WithRecalledMsg": is_flag,
        },
        ("ReqMsgNumber",),
    )
    group = find_group(sandbox, fields["GroupId"], TYPES - {LIVE_ROOM})
    asked = fields["ReqMsgNumber"]
    rows, has_more, has_expired = sandbox.store.page(
        group.group_id,
        fields.get("ReqMsgSeq"),
        min(asked, sandbox.config.history_rows),
        with_recalled=fields.get("WithRecalledMsg") == 1,
    )
    is_finished = 1
    if len(rows) < asked:
        is_finished = 0 if has_more else 2 if has_expired else 1
    return {
        "GroupId": group.group_id,
        "IsFinished": is_finished,
        "RspMsgList": [_row(stored) for stored in rows],
    }


def _row(stored: StoredMessage) -> dict[str, Any]:
    is_gone = stored.state is State.GONE
    return {
        "From_Account": "" if is_gone else stored.from_account,
        "IsPlaceMsg": int(stored.state),
        "MsgBody": list(stored.body) if stored.state is State.THERE else [],
        "MsgPriority": PRIORITIES[stored.message.priority],
        "MsgRandom": 0 if is_gone else stored.message.random,
        "MsgSeq": stored.msg_seq,
        "MsgTimeStamp": stored.msg_time,
    }


def receipts(sandbox: "SandboxServer", body: bytes) -> dict[str, Any]:
    """No simulated member reads a message."""
    if not sandbox.application.has_edition("flagship"):
        raise RequestRefused(EDITION_TOO_LOW, "receipts need another edition")
    fields = read_request(body, {"MsgSeqList": is_seq_list}, ("MsgSeqList",))
    group = find_group(sandbox, fields["GroupId"], MEMBER_TYPES)
    results = []
    for item in fields["MsgSeqList"]:
        stored = sandbox.store.get(group.group_id, item["MsgSeq"])
        if stored is None or not stored.message.wants_receipts:
            results.append({"Code": NO_RECEIPTS, "MsgSeq": item["MsgSeq"]})
        else:
            numbers = {"ReadNum": 0, "UnreadNum": group.size}
            results.append({"Code": 0, "MsgSeq": item["MsgSeq"]} | numbers)
    return {"GroupMsgReceiptList": results}


CALLS: dict[str, Callable[["SandboxServer", bytes], dict[str, Any]]] = {
    HISTORY: history,
    RECEIPTS: receipts,
}
