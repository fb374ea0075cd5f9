"""Get messages from Tencent's history of a group, newest first.

Live rooms have no history. It is kept for 7, 30 or 90 days, by edition.
Sources: https://cloud.tencent.com/document/product/269/2738, and
https://github.com/tencentyun/qcloud-documents: 拉取群历史消息.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from notifications.tencent.calls.base import (
    UINT32,
    Call,
    OtherShape,
    integer_in,
    rows_in,
)
from notifications.tencent.responses import Fields, storable


class Place(IntEnum):
    """``IsPlaceMsg``: what the history holds at the number of a message."""

    MESSAGE = 0
    GONE = 1  # deleted or expired, or never stored: the answer does not say which
    RECALLED = 2


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """One row. ``random`` and ``msg_time`` may be ``None`` in a row without a message.

    System messages, such as "Anna joined", may have no ``random`` either.
    """

    msg_seq: int
    msg_time: int | None
    random: int | None
    from_account: str
    place: Place
    body: list[Any] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """``is_finished``: the page holds the whole requested range.

    ``has_expired``: it does not, because all the rest has expired.
    """

    messages: tuple[HistoryMessage, ...]
    is_finished: bool
    has_expired: bool = False


@dataclass(frozen=True, slots=True)
class GroupMsgGetSimple(Call[HistoryPage]):
    """Get the newest ``number`` messages, or those up to ``newest_seq``.

    The next page begins at the smallest number of the last one, less 1.
    """

    COMMAND = "group_msg_get_simple"
    MAX_MESSAGES = 20

    group_id: str
    number: int = MAX_MESSAGES
    newest_seq: int | None = None
    with_recalled: bool = True

    def check(self) -> None:
        if not 1 <= self.number <= self.MAX_MESSAGES:
            raise ValueError(
                f"A page has 1 to {self.MAX_MESSAGES} messages, not {self.number}."
            )
        if self.newest_seq is not None and self.newest_seq < 1:
            raise ValueError("The numbers of messages begin at 1.")

    def payload(self) -> dict[str, object]:
        payload: dict[str, object] = {
            "GroupId": self.group_id,
            "ReqMsgNumber": self.number,
        }
        if self.newest_seq is not None:
            payload["ReqMsgSeq"] = self.newest_seq
        if self.with_recalled:
            payload["WithRecalledMsg"] = 1
        return payload

    def parse(self, fields: Fields) -> HistoryPage:
        if fields.get("GroupId", self.group_id) != self.group_id:
            raise OtherShape("GroupId")
        messages = tuple(_message(row) for row in rows_in(fields, "RspMsgList"))
        # Newer messages than requested would start the same page again.
        if self.newest_seq is not None and any(
            message.msg_seq > self.newest_seq for message in messages
        ):
            raise OtherShape("MsgSeq")
        # 0: not all of the range; 2: not all, and everything has expired.
        finished = integer_in(fields, "IsFinished", range(3))
        return HistoryPage(messages, finished == 1, finished == 2)


def texts_of(elements: Sequence[Any]) -> list[object]:
    """The texts in a ``MsgBody``; elements of another shape are skipped."""
    return [
        content.get("Text")
        for element in elements
        if isinstance(element, dict)
        and element.get("MsgType") == "TIMTextElem"
        and isinstance(content := element.get("MsgContent"), dict)
    ]


def _message(row: Fields) -> HistoryMessage:
    place = Place(integer_in(row, "IsPlaceMsg", range(len(Place))))
    # A wrong "not in the history" is worse than no verdict: a message without these
    # fields is refused.
    is_message = place is not Place.GONE and row.get("IsSystemMsg") != 1
    body = row.get("MsgBody")
    if body is not None and not isinstance(body, list):
        raise OtherShape("MsgBody")
    sender = row.get("From_Account")
    if (sender is not None and not isinstance(sender, str)) or (
        is_message and not sender
    ):
        raise OtherShape("From_Account")
    return HistoryMessage(
        msg_seq=integer_in(row, "MsgSeq", UINT32),
        msg_time=_number(row, "MsgTimeStamp", is_required=is_message),
        random=_number(row, "MsgRandom", is_required=is_message),
        from_account=storable(sender or ""),
        place=place,
        body=body or [],
        raw=row,
    )


def _number(row: Fields, name: str, *, is_required: bool) -> int | None:
    if row.get(name) is None and not is_required:
        return None
    return integer_in(row, name, UINT32)
