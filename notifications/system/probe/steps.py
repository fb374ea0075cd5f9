"""The steps of a probe as data: each makes one harmless call in one test group.

A step's ``call`` returns ``None`` if there is nothing to try, for example because an
earlier message was refused. Its ``learn`` returns what an accepted response shows; a
refusal is interpreted by ``run.py`` for all steps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.delivery import capabilities as names
from notifications.system.probe.trial import (
    KEPT,
    NAMED,
    ONLINE,
    Answer,
    Learnt,
    Trial,
)
from notifications.tencent.calls.base import Call
from notifications.tencent.calls.get_group_msg_receipt import (
    GetGroupMsgReceipt,
    ReadCount,
)
from notifications.tencent.calls.group_msg_get_simple import (
    GroupMsgGetSimple,
    HistoryPage,
    Place,
)
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.tencent.calls.send_group_msg import Receipt, SendGroupMsg
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.message_options import (
    NO_HISTORY_TYPES,
    REFUSED_BY_TYPE,
    MessageOptions,
)

# The application may not make the call: refused for the account, its edition or its
# settings. Any other code is about the group or this moment, and shows nothing.
NOT_ALLOWED = frozenset({10007, 10026, 10059, 60017})
# Of the system notification, 10007 is about one group.
NOTICE_NOT_ALLOWED = NOT_ALLOWED - {10007}
RECALL_IS_OFF = 10041
NO_RECEIPT = 10062  # the message was sent without asking for receipts


@dataclass(frozen=True, slots=True)
class Step:
    """``seen``: what members see of the call; empty if they see nothing."""

    capability: str
    command: type[Call[Any]]
    call: Callable[[Trial], Call[Any] | None]
    learn: Callable[[Trial, Any], Iterator[Learnt]]
    seen: Promise | str = ""
    refused_types: frozenset[str] = frozenset()
    message: str = ""  # which one the call sends
    not_allowed: frozenset[int] = NOT_ALLOWED
    tries: int = 1  # until the capability has the answer yes


def _notice(trial: Trial) -> SendGroupSystemNotification:
    group = trial.group
    return SendGroupSystemNotification(group.group_id, group.type, trial.text, None)


def _allowed(trial: Trial, _data: object) -> Iterator[Learnt]:
    yield Learnt(names.SYSTEM_NOTIFICATION, Answer.YES)


def _message(trial: Trial, message: str) -> SendGroupMsg | None:
    refusal = trial.learnt.get(names.GROUP_MESSAGE)
    if refusal and refusal.answer == Answer.NO:
        return None
    return SendGroupMsg(
        trial.group.group_id,
        trial.group.type,
        trial.text,
        MessageOptions(online_only=message == ONLINE, push=message == ONLINE),
        trial.randoms[message],
        [trial.member] if message == NAMED else None,
    )


def _sent(trial: Trial, step: str, message: str, receipt: Receipt) -> Iterator[Learnt]:
    """ErrorCode 0 with a ``MsgDropReason`` shows nothing."""
    if receipt.drop_reason:
        yield Learnt(step, Answer.UNKNOWN, "dropped", 0, receipt.drop_reason)
        return
    trial.receipts[message] = receipt
    yield Learnt(step, Answer.YES)


def _seq_finding(receipt: Receipt) -> str:
    if receipt.msg_seq is None:
        return "no_seq"
    return "seq" if receipt.msg_seq else "zero_seq"


def _online_sent(trial: Trial, receipt: Receipt) -> Iterator[Learnt]:
    yield from _sent(trial, names.GROUP_MESSAGE, ONLINE, receipt)
    if ONLINE in trial.receipts:
        has_seq = Answer.YES if receipt.msg_seq else Answer.NO
        yield Learnt(names.ONLINE_ONLY_SEQ, has_seq, _seq_finding(receipt))


def _kept_sent(trial: Trial, receipt: Receipt) -> Iterator[Learnt]:
    yield from _sent(trial, names.GROUP_MESSAGE, KEPT, receipt)


def _repeat(trial: Trial) -> SendGroupMsg | None:
    return _message(trial, KEPT) if KEPT in trial.receipts else None


def _repeated(trial: Trial, receipt: Receipt) -> Iterator[Learnt]:
    """The same number is that of the first message; others need the history."""
    first = trial.receipts[KEPT].msg_seq
    if receipt.drop_reason:
        yield Learnt(names.REPEAT, Answer.YES, "dropped", 0, receipt.drop_reason)
    elif receipt.msg_seq and receipt.msg_seq == first:
        yield Learnt(names.REPEAT, Answer.YES, "same_seq")
    else:
        finding = "new_seq" if receipt.msg_seq else _seq_finding(receipt)
        yield Learnt(names.REPEAT, Answer.UNKNOWN, finding)


def _named_sent(trial: Trial, receipt: Receipt) -> Iterator[Learnt]:
    yield from _sent(trial, names.NAMED_MEMBERS, NAMED, receipt)


def _history(trial: Trial) -> GroupMsgGetSimple | None:
    is_useful = {KEPT, NAMED} & trial.attempted
    return GroupMsgGetSimple(trial.group.group_id) if is_useful else None


def _history_read(trial: Trial, page: HistoryPage) -> Iterator[Learnt]:
    for message in (KEPT, NAMED):
        trial.history[message] = [
            row
            for row in page.messages
            if row.random == trial.randoms[message] and row.place == Place.MESSAGE
        ]
    copies = len(trial.history[KEPT])
    if not copies:
        if KEPT in trial.receipts:
            yield Learnt(names.HISTORY, Answer.UNKNOWN, "not_found")
        return
    yield Learnt(names.HISTORY, Answer.YES, "found")
    if NAMED in trial.receipts:
        has_named = Answer.YES if trial.history[NAMED] else Answer.NO
        yield Learnt(names.TARGETED_IN_HISTORY, has_named)
    repeat = trial.learnt.get(names.REPEAT)
    if repeat and (repeat.finding or repeat.error_code):
        yield replace(repeat, answer=Answer.YES if copies == 1 else Answer.NO)


def _receipts(trial: Trial) -> GetGroupMsgReceipt | None:
    seqs = trial.seqs(KEPT)
    return GetGroupMsgReceipt(trial.group.group_id, seqs[:1]) if seqs else None


def _receipts_read(_trial: Trial, counts: tuple[ReadCount, ...]) -> Iterator[Learnt]:
    code = counts[0].error_code if counts else None
    if code == 0:
        yield Learnt(names.RECEIPTS, Answer.YES, "counted")
    elif code == NO_RECEIPT:
        yield Learnt(names.RECEIPTS, Answer.YES, "not_counted", code)
    else:
        yield Learnt(names.RECEIPTS, Answer.UNKNOWN, error_code=code)


def _recall(trial: Trial) -> GroupMsgRecall | None:
    seqs = trial.all_seqs()
    trial.remaining = seqs
    if not seqs:
        return None
    return GroupMsgRecall(trial.group.group_id, seqs[: GroupMsgRecall.MAX_MESSAGES])


def _recalled(trial: Trial, codes: Mapping[int, int]) -> Iterator[Learnt]:
    trial.remaining = [seq for seq in trial.remaining if codes.get(seq, -1)]
    code = next((codes[seq] for seq in trial.remaining if seq in codes), 0)
    if not code:
        yield Learnt(names.RECALL, Answer.YES)
    else:
        answer = Answer.NO if code == RECALL_IS_OFF else Answer.UNKNOWN
        yield Learnt(names.RECALL, answer, error_code=code)


def _recall_again(trial: Trial) -> GroupMsgRecall | None:
    recall = trial.learnt.get(names.RECALL)
    if recall is None or recall.answer != Answer.YES:
        return None
    return GroupMsgRecall(trial.group.group_id, trial.all_seqs()[:1])


def _recalled_again(_trial: Trial, codes: Mapping[int, int]) -> Iterator[Learnt]:
    (code,) = codes.values()
    if code:
        yield Learnt(names.RECALL, Answer.YES, "again_refused", code)
    else:
        yield Learnt(names.RECALL, Answer.YES, "again_accepted")


STEPS = [
    Step(
        names.SYSTEM_NOTIFICATION,
        SendGroupSystemNotification,
        _notice,
        _allowed,
        seen=_("All members who are online see it as a system notification."),
        not_allowed=NOTICE_NOT_ALLOWED,
    ),
    Step(
        names.GROUP_MESSAGE,
        SendGroupMsg,
        lambda trial: _message(trial, ONLINE),
        _online_sent,
        seen=_("All members who are online see it as a message, which is not kept."),
        refused_types=REFUSED_BY_TYPE["online_only"],
        message=ONLINE,
    ),
    Step(
        names.GROUP_MESSAGE,
        SendGroupMsg,
        lambda trial: _message(trial, KEPT),
        _kept_sent,
        seen=_(
            "All members get it as a message, without a push to their phones. It is taken "
            "back within seconds, if Tencent allows it."
        ),
        refused_types=REFUSED_BY_TYPE["message"],
        message=KEPT,
    ),
    Step(
        names.REPEAT,
        SendGroupMsg,
        _repeat,
        _repeated,
        seen=_(
            "That message is sent twice with the same number. If Tencent does not drop "
            "the repeat, members get it twice; both are taken back where there is a "
            "history."
        ),
        refused_types=REFUSED_BY_TYPE["message"],
        message=KEPT,
        not_allowed=frozenset(),
    ),
    Step(
        names.NAMED_MEMBERS,
        SendGroupMsg,
        lambda trial: _message(trial, NAMED),
        _named_sent,
        seen=_("Only %(member)s gets it as a message, which is taken back as well."),
        refused_types=REFUSED_BY_TYPE["recipients"],
        message=NAMED,
    ),
    Step(
        names.HISTORY,
        GroupMsgGetSimple,
        _history,
        _history_read,
        refused_types=NO_HISTORY_TYPES,
        tries=3,
    ),
    Step(
        names.RECEIPTS,
        GetGroupMsgReceipt,
        _receipts,
        _receipts_read,
        refused_types=frozenset({"AVChatRoom", "BChatRoom", "Community"}),
    ),
    Step(names.RECALL, GroupMsgRecall, _recall, _recalled),
    Step(names.RECALL, GroupMsgRecall, _recall_again, _recalled_again),
]

COMMANDS = {step.capability: step.command.COMMAND for step in STEPS} | {
    names.ONLINE_ONLY_SEQ: SendGroupMsg.COMMAND,
    names.TARGETED_IN_HISTORY: GroupMsgGetSimple.COMMAND,
}
