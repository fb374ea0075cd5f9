"""Take messages back: Tencent removes them from the history and from the apps.

Messages must be within the time for which Tencent keeps the history.
Source: https://cloud.tencent.com/document/product/269/12341.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from notifications.tencent.calls.base import (
    UINT32,
    Call,
    OtherShape,
    check_count,
    integer_in,
    rows_in,
)
from notifications.tencent.responses import CODES, Fields


@dataclass(frozen=True, slots=True)
class GroupMsgRecall(Call[Mapping[int, int]]):
    """An accepted call shows nothing: each message has its own ``RetCode``."""

    COMMAND = "group_msg_recall"
    MAX_ANSWER = 64 * 1024
    MAX_MESSAGES = 10
    MAX_REASON_BYTES = 100

    group_id: str
    msg_seqs: Sequence[int]
    reason: str = field(default="", repr=False)  # members see it

    def check(self) -> None:
        check_count(self.msg_seqs, self.MAX_MESSAGES)
        if len(self.reason.encode()) > self.MAX_REASON_BYTES:
            raise ValueError(f"The reason has {self.MAX_REASON_BYTES} bytes at most.")

    def payload(self) -> dict[str, object]:
        payload: dict[str, object] = {
            "GroupId": self.group_id,
            "MsgSeqList": [{"MsgSeq": seq} for seq in self.msg_seqs],
        }
        if self.reason:
            payload["Reason"] = self.reason
        return payload

    def parse(self, fields: Fields) -> Mapping[int, int]:
        """The ``RetCode`` of each message by its number; 0 if it was taken back."""
        codes = {}
        for row in rows_in(fields, "RecallRetList"):
            seq = integer_in(row, "MsgSeq", UINT32)
            codes[seq] = integer_in(row, "RetCode", CODES)
        if codes.keys() != set(self.msg_seqs):
            raise OtherShape("RecallRetList")
        return codes
