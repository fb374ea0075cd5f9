"""The state of one probe: its group, its messages, and what the calls have shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from notifications.models import Capability, ChatGroup
from notifications.tencent.calls.group_msg_get_simple import HistoryMessage
from notifications.tencent.calls.send_group_msg import Receipt

Answer = Capability.Answer

# The messages: for online members only, kept by Tencent, and for a named member.
ONLINE, KEPT, NAMED = "online", "kept", "named"


@dataclass(frozen=True, slots=True)
class Learnt:
    """One answer; ``finding`` is a key of ``presentation.FINDINGS``, or a
    ``Reason`` why there was no response."""

    name: str
    answer: Capability.Answer
    finding: str = ""
    error_code: int | None = None
    detail: str = ""


@dataclass(slots=True)
class Trial:
    """The group, and what the calls have shown so far.

    ``attempted`` has the messages that Tencent may have stored. ``remaining`` are
    numbers of messages that could not be taken back. ``is_complete``: every call had a
    verdict, and all of them were made.
    """

    group: ChatGroup
    member: str
    text: str
    randoms: Mapping[str, int]
    attempted: set[str] = field(default_factory=set)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    history: dict[str, list[HistoryMessage]] = field(default_factory=dict)
    learnt: dict[str, Learnt] = field(default_factory=dict)
    remaining: list[int] = field(default_factory=list)
    is_complete: bool = True

    def seqs(self, message: str) -> list[int]:
        """The numbers under which Tencent has a message.

        Those of the history are certain. Without a history, only the number of the first
        call counts: the answer to a repeat may have a number that another person's
        message gets.
        """
        if rows := self.history.get(message):
            return [row.msg_seq for row in rows]
        receipt = self.receipts.get(message)
        return [receipt.msg_seq] if receipt and receipt.msg_seq else []

    def all_seqs(self) -> list[int]:
        return sorted({seq for message in (KEPT, NAMED) for seq in self.seqs(message)})

    @property
    def untraced(self) -> int:
        """How many messages may still be in the group, with a number that is not known."""
        return sum(not self.seqs(message) for message in self.attempted - {ONLINE})
