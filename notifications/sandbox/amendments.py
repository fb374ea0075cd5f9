"""Recalls and corrections: what the sandbox checks, carries out and answers.

A fault that "shows it" carries the recall or the correction out.
Sources: recalls (269/12341), corrections (269/74741).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from notifications.sandbox.application import RECALLS_ARE_OFF
from notifications.sandbox.faults import OF_RECALLS, fault_info
from notifications.sandbox.journal import Amendment
from notifications.sandbox.message_calls import (
    find_group,
    is_number,
    is_seq_list,
    read_request,
)
from notifications.sandbox.message_request import Element, is_text, read_elements
from notifications.sandbox.messages import RECALLED_BEFORE, text_of
from notifications.sandbox.protocol import RequestRefused, SandboxAnswer
from notifications.sandbox.sending import LIVE_ROOM, TYPES

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

RECALL = "/v4/group_open_http_svc/group_msg_recall"

# Of another service than the other calls of groups.
CORRECT = "/v4/openim/modify_group_msg"

MAX_REASON = 100

INVALID_CORRECTION = 20001


@dataclass(frozen=True, slots=True)
class Request:
    """A valid request; ``body`` and ``custom_data`` are those of a correction."""

    path: str
    group_id: str
    msg_seqs: Sequence[int]
    content: str  # the reason, or the new text
    body: Sequence[Element] | None = None
    custom_data: str | None = None

    @property
    def command(self) -> str:
        return self.path.rpartition("/")[2]


def amend(
    sandbox: "SandboxServer", path: str, body: bytes, clock: float
) -> SandboxAnswer:
    """Check a request, carry it out, record it. Raises ``RequestRefused``.

    A request of a wrong form is not recorded.
    """
    request = READERS[path](body)
    try:
        sandbox.check_call(path, clock)
        types = TYPES if path == RECALL else TYPES - {LIVE_ROOM}
        answer = sandbox.planned(path, find_group(sandbox, request.group_id, types))
    except RequestRefused as refused:
        answer = SandboxAnswer(refused.code, refused.text)
    if answer.fault.startswith("shown_late"):

        def afterwards() -> None:
            _finish(sandbox, request, clock, answer)

        return SandboxAnswer(0, fault=answer.fault, afterwards=afterwards)
    return _finish(sandbox, request, clock, answer)


def _finish(
    sandbox: "SandboxServer", request: Request, clock: float, answer: SandboxAnswer
) -> SandboxAnswer:
    """Carry a request out unless it is refused, record it, return the answer."""
    is_done = fault_info(answer.fault).shown and (
        answer.code == 0 or answer.fault.startswith("shown_")
    )
    if request.path == RECALL:
        answer, done = _recall(sandbox, request, answer, is_done=is_done)
    else:
        answer, done = _correct(sandbox, request, answer, is_done=is_done)
    has_verdict = fault_info(answer.fault).answers
    rows = answer.fields.get("RecallRetList", ())
    ret_codes = {row["MsgSeq"]: row["RetCode"] for row in rows} if has_verdict else {}
    for msg_seq in request.msg_seqs:
        sandbox.journal.add(
            Amendment(
                time.time(),
                clock,
                request.command,
                request.group_id,
                msg_seq,
                request.content,
                answer.code if has_verdict else None,
                ret_codes.get(msg_seq),
                answer.fault,
                msg_seq in done,
                request.body,
            )
        )
    return answer


def _recall(
    sandbox: "SandboxServer", request: Request, answer: SandboxAnswer, *, is_done: bool
) -> tuple[SandboxAnswer, set[int]]:
    """The answer, and the messages that were taken back."""
    codes = dict.fromkeys(request.msg_seqs, RECALLS_ARE_OFF)
    done = set()
    if is_done and not sandbox.application.recalls_are_off:
        for msg_seq in request.msg_seqs:
            code = sandbox.store.recall(request.group_id, msg_seq, request.content)
            if code == 0:
                done.add(msg_seq)
            elif code == RECALLED_BEFORE:
                code = int(sandbox.application.second_recall)
            codes[msg_seq] = code
    name, _, number = answer.fault.partition(":")
    if name in OF_RECALLS:
        codes = dict.fromkeys(codes, int(number))
    if answer.code:
        return answer, done
    rows = [{"MsgSeq": msg_seq, "RetCode": code} for msg_seq, code in codes.items()]
    return replace(answer, fields={"RecallRetList": rows}), done


def _correct(
    sandbox: "SandboxServer", request: Request, answer: SandboxAnswer, *, is_done: bool
) -> tuple[SandboxAnswer, set[int]]:
    """The answer, and the message if it was corrected."""
    if not is_done:
        return answer, set()
    (msg_seq,) = request.msg_seqs
    is_corrected = sandbox.store.correct(
        request.group_id, msg_seq, request.body, request.custom_data
    )
    if is_corrected:
        return answer, {msg_seq}
    text = "there is no such message"
    return SandboxAnswer(INVALID_CORRECTION, text, answer.fault), set()


def _read_recall(body: bytes) -> Request:
    fields = read_request(
        body, {"MsgSeqList": is_seq_list, "Reason": _is_reason}, ("MsgSeqList",)
    )
    msg_seqs = [item["MsgSeq"] for item in fields["MsgSeqList"]]
    return Request(RECALL, fields["GroupId"], msg_seqs, fields.get("Reason", ""))


def _is_reason(value: object) -> bool:
    return isinstance(value, str) and len(value.encode()) <= MAX_REASON


def _read_correction(body: bytes) -> Request:
    checks: dict[str, Callable[[object], bool]] = {
        "MsgSeq": is_number,
        "MsgBody": lambda value: isinstance(value, list) and bool(value),
        "CloudCustomData": is_text,
    }
    fields: Mapping[str, Any] = read_request(body, checks, ("MsgSeq",))
    elements = fields.get("MsgBody")
    custom_data = fields.get("CloudCustomData")
    if elements is None and custom_data is None:
        raise RequestRefused(INVALID_CORRECTION, "nothing to replace")
    if elements is not None:
        elements = read_elements(elements)
    return Request(
        CORRECT,
        fields["GroupId"],
        [fields["MsgSeq"]],
        text_of(elements or ()),
        elements,
        custom_data,
    )


READERS: dict[str, Callable[[bytes], Request]] = {
    RECALL: _read_recall,
    CORRECT: _read_correction,
}
