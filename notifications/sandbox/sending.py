"""What the sandbox shows and stores: notices, messages, messages to all live rooms.

Which rules are documented and which are cautious choices: ``message_request.py`` and
``application.py``.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from notifications.sandbox import protocol
from notifications.sandbox.application import EDITION_TOO_LOW, REWRITTEN
from notifications.sandbox.faults import fault_info
from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.journal import JournalEntry, MessageEntry
from notifications.sandbox.message_request import (
    FIELDS,
    Element,
    Message,
    check_fields,
    read_elements,
    read_message,
)
from notifications.sandbox.messages import Receipt, rewrite, text_of
from notifications.sandbox.protocol import RequestRefused, SandboxAnswer, json_object

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

SEND = "/v4/group_open_http_svc/send_group_msg"

BROADCAST = "/v4/group_open_http_svc/send_broadcast_msg"

LIVE_ROOM = "AVChatRoom"

TYPES = {"Private", "Public", "ChatRoom", LIVE_ROOM, "Community"}

# The types that take To_Account.
MEMBER_TYPES = {"Private", "Public", "ChatRoom"}

REPEAT = "repeat"


def show(sandbox: "SandboxServer", body: bytes, clock: float) -> SandboxAnswer:
    """Check a notice, record it. Raises ``RequestRefused``.

    A request of a wrong form is not recorded.
    """
    notice = protocol.read_body(body)
    group = sandbox.groups.get(notice.group_id)
    try:
        sandbox.check_call(protocol.PATH, clock)
        protocol.check_group(notice, group.type if group else None)
        answer = sandbox.planned(protocol.PATH, group)
    except RequestRefused as refused:
        answer = SandboxAnswer(refused.code, refused.text)
    fault = fault_info(answer.fault)
    is_refused = answer.code != 0 and not answer.fault.startswith("shown_")
    sandbox.journal.add(
        JournalEntry(
            time.time(),
            clock,
            notice.group_id,
            notice.content,
            notice.recipients,
            answer.code if fault.answers else None,
            answer.text,
            answer.fault,
            fault.shown and not is_refused,
        )
    )
    return answer


def send(sandbox: "SandboxServer", body: bytes, clock: float) -> SandboxAnswer:
    """Check a message, store it, record it. Raises ``RequestRefused``, as ``show``."""
    message = read_message(body)
    elements = message.body
    try:
        check(sandbox, message, clock)
        elements = _after_callback(sandbox, message)
        answer = sandbox.planned(SEND, sandbox.groups.get(message.group_id))
    except RequestRefused as refused:
        answer = SandboxAnswer(refused.code, refused.text)
    is_shown = fault_info(answer.fault).shown and (
        answer.code == 0 or answer.fault.startswith("shown_")
    )
    if answer.fault.startswith("shown_late"):
        return SandboxAnswer(
            0,
            fault=answer.fault,
            afterwards=lambda: _record(
                sandbox,
                message,
                elements,
                clock,
                answer,
                _store(sandbox, message, elements),
            ),
        )
    receipt = _store(sandbox, message, elements) if is_shown else None
    if receipt and answer.code == 0:
        answer = _answer(sandbox, message, answer.fault, receipt)
    _record(sandbox, message, elements, clock, answer, receipt)
    return answer


def broadcast(sandbox: "SandboxServer", body: bytes) -> dict[str, Any]:
    """Store a message in every live room. Raises ``RequestRefused``."""
    if not sandbox.application.has_edition("flagship"):
        raise RequestRefused(EDITION_TOO_LOW, "broadcasts need another edition")
    fields = json_object(body)
    names = ("Random", "MsgBody", "From_Account", "CloudCustomData")
    check_fields(fields, {name: FIELDS[name] for name in names}, names[:2])
    message = Message(
        "",
        fields["Random"],
        read_elements(fields["MsgBody"]),
        fields.get("From_Account", ""),
        custom_data=fields.get("CloudCustomData", ""),
    )
    check_sender(sandbox, message)
    clock = time.monotonic()
    for group in list(sandbox.groups.values()):
        if group.type == LIVE_ROOM:
            one = replace(message, group_id=group.group_id)
            receipt = _store(sandbox, one, one.body)
            _record(sandbox, one, one.body, clock, SandboxAnswer(0), receipt)
    return {"MsgSeq": sandbox.store.use_up_seq("")}


def check(sandbox: "SandboxServer", message: Message, clock: float) -> None:
    """Check what the form of a request does not tell. Raises ``RequestRefused``."""
    sandbox.check_call(SEND, clock)
    group = sandbox.groups.get(message.group_id)
    if group is None:
        raise RequestRefused(10010, "group does not exist")
    if group.type not in TYPES:
        raise RequestRefused(10007, f"{group.type} takes no messages")
    if message.topic_id and group.type != "Community":
        raise RequestRefused(10004, "only a community has topics")
    if group.type == LIVE_ROOM:
        _check_live_room(message)
    if group.type == "ChatRoom" and "NoUnread" in message.controls:
        raise RequestRefused(10004, "ChatRoom counts no unread messages")
    if message.recipients:
        if not sandbox.application.has_edition("flagship"):
            raise RequestRefused(EDITION_TOO_LOW, "To_Account needs another edition")
        if group.type not in MEMBER_TYPES:
            raise RequestRefused(10004, f"{group.type} takes no To_Account")
    check_sender(sandbox, message, group)
    if not all(sandbox.has_account(name, group) for name in message.recipients):
        raise RequestRefused(10019, "an account of To_Account does not exist")


def check_sender(
    sandbox: "SandboxServer", message: Message, group: SandboxGroup | None = None
) -> None:
    """Raises ``RequestRefused``."""
    sender = message.from_account
    if sender and not sandbox.has_account(sender, group):
        raise RequestRefused(10019, "From_Account does not exist")
    if sender in sandbox.muted:
        raise RequestRefused(10017, "From_Account is muted")


def _check_live_room(message: Message) -> None:
    if message.online_only:
        raise RequestRefused(10004, f"{LIVE_ROOM} takes no OnlineOnlyFlag")
    if message.controls:
        raise RequestRefused(10004, f"{LIVE_ROOM} takes no SendMsgControl")
    if message.mentions_all:
        raise RequestRefused(10004, f"{LIVE_ROOM} takes no @all")


def _after_callback(sandbox: "SandboxServer", message: Message) -> Sequence[Element]:
    """The body after the callback of the app. Raises ``RequestRefused``."""
    match "" if message.forbids_callback else sandbox.application.callback:
        case "refuse":
            raise RequestRefused(10016, "the callback of the app refused")
        case "fail":
            raise RequestRefused(80003, "the callback of the app failed")
        case "rewrite":
            return rewrite(message.body, REWRITTEN)
    return message.body


def _store(
    sandbox: "SandboxServer", message: Message, elements: Sequence[Element]
) -> Receipt:
    return sandbox.store.add(
        message,
        elements,
        message.from_account or sandbox.account.identifier,
        clock=time.monotonic(),
        now=sandbox.now(),
    )


def _answer(
    sandbox: "SandboxServer", message: Message, fault: str, receipt: Receipt
) -> SandboxAnswer:
    msg_seq = receipt.msg_seq
    if receipt.is_repeat:
        match sandbox.application.repeats:
            case "error":
                return SandboxAnswer(10004, "this Random was there already", fault)
            case "new":
                msg_seq = sandbox.store.use_up_seq(message.group_id)
            case "zero":
                msg_seq = 0
    fields: dict[str, Any] = {"MsgTime": receipt.msg_time, "MsgSeq": msg_seq}
    if receipt.dropped:
        fields["MsgDropReason"] = receipt.dropped
    return SandboxAnswer(0, fault=fault, fields=fields)


def _record(
    sandbox: "SandboxServer",
    message: Message,
    elements: Sequence[Element],
    clock: float,
    answer: SandboxAnswer,
    receipt: Receipt | None,
) -> None:
    """Add a message to the journal; ``receipt`` is ``None`` if it was refused."""
    dropped = ""
    if receipt:
        dropped = REPEAT if receipt.is_repeat else receipt.dropped
    is_shown = receipt is not None and not dropped
    sandbox.journal.add(
        MessageEntry(
            time.time(),
            clock,
            message.group_id,
            text_of(elements),
            message.recipients,
            answer.code if fault_info(answer.fault).answers else None,
            answer.text,
            answer.fault,
            is_shown,
            message.from_account or sandbox.account.identifier,
            message.random,
            receipt.msg_seq if receipt and is_shown else None,
            receipt.msg_time if receipt and is_shown else None,
            dropped,
            elements,
            "" if _has_no_push(sandbox, message) else _pushed(message, elements),
            message.mentions_all,
        )
    )


def _has_no_push(sandbox: "SandboxServer", message: Message) -> bool:
    group = sandbox.groups.get(message.group_id)
    is_live = group is not None and group.type == LIVE_ROOM
    is_off = message.push is not None and message.push.get("PushFlag") == 1
    return is_live or is_off or message.online_only


def _pushed(message: Message, elements: Sequence[Element]) -> str:
    """The text of the push; empty if there is none."""
    push: Mapping[str, Any] = message.push or {}
    descriptions = [
        element["MsgContent"].get("Desc", "")
        for element in elements
        if element["MsgType"] == "TIMCustomElem"
    ]
    text = push.get("Desc") or text_of(elements) or "".join(descriptions)
    only_custom = all(element["MsgType"] == "TIMCustomElem" for element in elements)
    if not text and only_custom:
        return ""
    title = push.get("Title", "")
    return f"{title}: {text}" if title and text else title or text or "a message"
