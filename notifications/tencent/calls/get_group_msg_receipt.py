"""Get how many members have read messages.

Only with the Flagship and Enterprise editions and a switch in Tencent's console, and
not in live rooms and communities.
Source: https://cloud.tencent.com/document/product/269/77694.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notifications.tencent.calls.base import (
    UINT32,
    Call,
    check_count,
    integer_in,
    rows_in,
)
from notifications.tencent.responses import CODES, Fields


@dataclass(frozen=True, slots=True)
class ReadCount:
    """Who has read one message, or the ``error_code`` with which Tencent refuses it.

    10062: Tencent counts no readers of the message.
    """

    msg_seq: int
    error_code: int = 0
    read: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class GetGroupMsgReceipt(Call[tuple[ReadCount, ...]]):
    COMMAND = "get_group_msg_receipt"
    MAX_ANSWER = 64 * 1024
    # Tencent documents no limit for this call; this is the one of group_msg_recall.
    MAX_MESSAGES = 10

    group_id: str
    msg_seqs: Sequence[int]

    def check(self) -> None:
        check_count(self.msg_seqs, self.MAX_MESSAGES)

    def payload(self) -> dict[str, object]:
        return {
            "GroupId": self.group_id,
            "MsgSeqList": [{"MsgSeq": seq} for seq in self.msg_seqs],
        }

    def parse(self, fields: Fields) -> tuple[ReadCount, ...]:
        rows = rows_in(fields, "GroupMsgReceiptList")
        return tuple(_read_count(row) for row in rows)


def _read_count(row: Fields) -> ReadCount:
    msg_seq = integer_in(row, "MsgSeq", UINT32)
    code = integer_in(row, "Code", CODES)
    if code:
        return ReadCount(msg_seq, code)
    read = integer_in(row, "ReadNum", UINT32)
    return ReadCount(msg_seq, read=read, unread=integer_in(row, "UnreadNum", UINT32))
