"""The messages of each group: their history, the limit of 40 a second, the repeats.

Sources: the pages of send_group_msg (269/1629), of the history (269/2738) and of recalls
(269/12341); the description of group messages.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from notifications.sandbox.journal import (
    DELETION,
    RECALLS,
    Amendment,
    MessageEntry,
)
from notifications.sandbox.message_request import Element, Message

MESSAGES_PER_SECOND = 40

REPEAT_SECONDS = 300.0

DROPPED = "MsgFreqCtrl"

# RetCodes of a recall.
NO_SUCH_MESSAGE = 10030

RECALLED_BEFORE = 10032


class State(IntEnum):
    """The values of IsPlaceMsg."""

    THERE = 0
    GONE = 1  # deleted, expired, or it could not be stored
    RECALLED = 2


@dataclass(slots=True)
class StoredMessage:
    """``body`` is what members see now, ``message.body`` what was sent.

    ``reason`` is why it was taken back.
    """

    message: Message
    msg_seq: int
    msg_time: int  # Unix seconds
    from_account: str
    body: Sequence[Element]
    custom_data: str
    state: State = State.THERE
    corrected: bool = False
    reason: str = ""

    @property
    def text(self) -> str:
        return text_of(self.body)

    @property
    def is_in_history(self) -> bool:
        # Whether messages to named members are in the history is not documented.
        return not self.message.recipients


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: stored, or ``dropped`` for a reason.

    ``msg_seq`` is 0 for a message that only those online see, and for a dropped one.
    """

    msg_seq: int
    msg_time: int
    dropped: str = ""
    is_repeat: bool = False


@dataclass(slots=True)
class GroupMessages:
    by_seq: dict[int, StoredMessage] = field(default_factory=dict)
    last_seq: int = 0
    expired_up_to: int = 0
    arrivals: deque[float] = field(default_factory=deque)
    # The Randoms of the last five minutes, the oldest first.
    randoms: deque[tuple[float, int]] = field(default_factory=deque)
    # Clock, request and MsgSeq of the latest message with a Random.
    latest: dict[int, tuple[float, Message, int]] = field(default_factory=dict)


class MessageStore:
    """The messages of all groups. Thread-safe; adding takes the same time always."""

    def __init__(self, repeat_seconds: float = REPEAT_SECONDS) -> None:
        self._repeat_seconds = repeat_seconds
        self._groups: dict[str, GroupMessages] = {}
        self._lock = threading.Lock()

    def add(
        self,
        message: Message,
        body: Sequence[Element],
        from_account: str,
        *,
        clock: float,
        now: float,
    ) -> Receipt:
        """Store a message, unless it is a repeat or above the limit of its group.

        A repeat has the Random and the content of a message of the last five minutes.
        """
        with self._lock:
            group = self._groups.setdefault(message.group_id, GroupMessages())
            while group.randoms and clock - group.randoms[0][0] >= self._repeat_seconds:
                moment, number = group.randoms.popleft()
                if group.latest[number][0] == moment:
                    del group.latest[number]
            former = group.latest.get(message.random)
            if former and former[1].body == message.body:
                return Receipt(former[2], int(now), is_repeat=True)
            while group.arrivals and clock - group.arrivals[0] >= 1:
                group.arrivals.popleft()
            if len(group.arrivals) >= MESSAGES_PER_SECOND:
                return Receipt(0, int(now), DROPPED)
            group.arrivals.append(clock)
            msg_seq = 0
            if not message.online_only:
                group.last_seq += 1
                msg_seq = group.last_seq
                group.by_seq[msg_seq] = StoredMessage(
                    message, msg_seq, int(now), from_account, body, message.custom_data
                )
            group.latest[message.random] = (clock, message, msg_seq)
            group.randoms.append((clock, message.random))
        return Receipt(msg_seq, int(now))

    def restore(self, entry: MessageEntry) -> None:
        """Store a message again that a former process of the sandbox stored."""
        if not entry.msg_seq or entry.msg_time is None:
            return
        message = Message(
            entry.group_id,
            entry.random,
            entry.body,
            entry.from_account,
            recipients=entry.recipients,
        )
        stored = StoredMessage(
            message, entry.msg_seq, entry.msg_time, entry.from_account, entry.body, ""
        )
        with self._lock:
            group = self._groups.setdefault(entry.group_id, GroupMessages())
            group.by_seq[entry.msg_seq] = stored
            group.last_seq = max(group.last_seq, entry.msg_seq)

    def restore_amendment(self, amendment: Amendment) -> None:
        """Carry out again what a former process of the sandbox carried out."""
        if not amendment.done:
            return
        group_id, msg_seq = amendment.group_id, amendment.msg_seq
        if amendment.command in RECALLS:
            self.recall(group_id, msg_seq, amendment.content)
        elif amendment.command == DELETION:
            self.lose(group_id, msg_seq)
        else:
            self.correct(group_id, msg_seq, amendment.body, None)

    def use_up_seq(self, group_id: str) -> int:
        """A MsgSeq that no message has."""
        with self._lock:
            group = self._groups.setdefault(group_id, GroupMessages())
            group.last_seq += 1
            return group.last_seq

    def of_group(self, group_id: str) -> list[StoredMessage]:
        """All messages of a group in the order of MsgSeq, those taken back included."""
        with self._lock:
            group = self._groups.get(group_id)
            return list(group.by_seq.values()) if group else []

    def get(self, group_id: str, msg_seq: int) -> StoredMessage | None:
        with self._lock:
            group = self._groups.get(group_id)
            return group.by_seq.get(msg_seq) if group else None

    def page(
        self, group_id: str, newest: int | None, rows: int, *, with_recalled: bool
    ) -> tuple[list[StoredMessage], bool, bool]:
        """The newest ``rows`` messages up to MsgSeq ``newest``, the newest first.

        Then whether there are others before them, and whether only expired ones are.
        """
        page: list[StoredMessage] = []
        with self._lock:
            group = self._groups.get(group_id, GroupMessages())
            last = group.last_seq if newest is None else min(newest, group.last_seq)
            for msg_seq in range(last, group.expired_up_to, -1):
                stored = group.by_seq.get(msg_seq)
                if stored is None or not stored.is_in_history:
                    continue
                if stored.state is State.RECALLED and not with_recalled:
                    continue
                if len(page) == rows:
                    return page, True, False
                page.append(replace(stored))
            has_expired = min(last, group.expired_up_to) > 0
        return page, False, has_expired

    def recall(self, group_id: str, msg_seq: int, reason: str = "") -> int:
        """Take a message back; return the RetCode."""
        with self._lock:
            group = self._groups.get(group_id)
            stored = group.by_seq.get(msg_seq) if group else None
            if group is None or stored is None or msg_seq <= group.expired_up_to:
                return NO_SUCH_MESSAGE
            if stored.state is State.RECALLED:
                return RECALLED_BEFORE
            if stored.state is State.GONE:
                return NO_SUCH_MESSAGE
            stored.state = State.RECALLED
            stored.reason = reason
        return 0

    def correct(
        self,
        group_id: str,
        msg_seq: int,
        body: Sequence[Element] | None,
        custom_data: str | None,
    ) -> bool:
        """Replace what is given; return whether the message is there."""
        with self._lock:
            group = self._groups.get(group_id)
            stored = group.by_seq.get(msg_seq) if group else None
            if stored is None or stored.state is not State.THERE:
                return False
            if body is not None:
                stored.body = body
                stored.corrected = True
            if custom_data is not None:
                stored.custom_data = custom_data
        return True

    def lose(self, group_id: str, msg_seq: int) -> None:
        """Leave only a place of a message, as if storing it had failed."""
        with self._lock:
            self._groups[group_id].by_seq[msg_seq].state = State.GONE

    def expire(self, group_id: str, up_to: int) -> None:
        """The history no longer has messages up to this MsgSeq."""
        with self._lock:
            self._groups.setdefault(group_id, GroupMessages()).expired_up_to = up_to


def text_of(body: Sequence[Element]) -> str:
    """The text elements, one per line."""
    return "\n".join(
        element["MsgContent"]["Text"]
        for element in body
        if element["MsgType"] == "TIMTextElem"
    )


def rewrite(body: Sequence[Element], addition: str) -> Sequence[Element]:
    """Each text with an addition."""
    return [
        {
            "MsgType": element["MsgType"],
            "MsgContent": {"Text": element["MsgContent"]["Text"] + addition},
        }
        if element["MsgType"] == "TIMTextElem"
        else element
        for element in body
    ]
