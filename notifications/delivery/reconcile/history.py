"""The verdict on one delivery, from pages of the history of its group.

Pure functions: they read no clock, no setting and no row. A wrong verdict is worse than
none, so everything unexpected is ``UNCLEAR``.

The numbers of messages (MsgSeq) rise by 1 in each group. A page has the newest messages
up to a number; the next page begins before its smallest number.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from notifications.delivery.channels.base import State
from notifications.models import DeliveryQuery
from notifications.tencent.calls.group_msg_get_simple import (
    GroupMsgGetSimple,
    HistoryMessage,
    HistoryPage,
    Place,
    texts_of,
)
from notifications.tencent.outcomes import Reason
from notifications.tencent.responses import Fields, storable

MAX_PAGES = 50

# Messages are compared from so many seconds before the first attempt, because Tencent's
# clock may differ from that of the worker.
CLOCK_MARGIN = 60

Verdict = DeliveryQuery.Verdict

# A detail of a query: also if it was another person or program that did.
TAKEN_BACK = "The message had been taken back."

# What the stored answer has of the messages of other people.
PUBLIC_FIELDS = ("MsgSeq", "MsgRandom", "MsgTimeStamp", "IsPlaceMsg")


@dataclass(frozen=True, slots=True)
class Searched:
    """The message of a delivery: its number, its sender, and when it was sent at first.

    ``since`` is in Unix seconds of Tencent's clock. ``msg_seq`` is known of a message that
    a recall or a correction changes; then ``random`` is ``None`` if its row was archived.
    """

    random: int | None
    account: str
    since: float
    msg_seq: int | None = None

    def matches(self, message: HistoryMessage) -> bool:
        return (
            message.from_account == self.account
            and self.random in (None, message.random)
            and self.msg_seq in (None, message.msg_seq)
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict; ``message`` is that of the delivery if it is present.

    ``reason`` is that of the delivery if this verdict settles it.
    """

    verdict: Verdict
    detail: str = ""
    message: HistoryMessage | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A page, and the fields of the response that has it."""

    fields: Fields
    page: HistoryPage


class HistoryCall(GroupMsgGetSimple):
    """The same call; its data has the fields of the response, to store them."""

    __slots__ = ()

    def parse(self, fields: Fields) -> Answer:  # type: ignore[override]
        return Answer(fields, GroupMsgGetSimple.parse(self, fields))


def judge(searched: Searched, pages: Sequence[HistoryPage]) -> Finding | None:
    """The verdict of the pages read so far, or ``None`` to read the next page."""
    messages = sorted(
        (message for page in pages for message in page.messages),
        key=lambda message: -message.msg_seq,
    )
    own = [
        message
        for message in messages
        if searched.matches(message) and message.place is not Place.GONE
    ]
    if own:
        detail = TAKEN_BACK if own[-1].place is Place.RECALLED else ""
        return Finding(Verdict.PRESENT, detail, own[-1], Reason.IN_HISTORY)
    oldest = _first_older(searched, messages)
    has_begun = _is_beginning(pages)
    if oldest is None and not has_begun:
        if not pages[-1].messages:
            return _unclear("Tencent returned no older messages, and not all of them.")
        if len(pages) >= MAX_PAGES:
            return _unclear(
                f"The group has more than {len(messages)} messages since the first call."
            )
        return None
    interval = messages if oldest is None else messages[: oldest + 1]
    return _judge_interval(searched, interval)


def judge_state(
    searched: Searched,
    page: HistoryPage,
    state_of: Callable[[HistoryMessage], State],
) -> Finding:
    """The verdict on a recall or a correction, from the place of its message.

    ``state_of`` is asked about the right message only.
    """
    places = [one for one in page.messages if one.msg_seq == searched.msg_seq]
    has_expired = page.has_expired and not page.messages
    if has_expired or [one.place for one in places] == [Place.GONE]:
        detail = "The history has no message of this number any more."
        return Finding(Verdict.ABSENT, detail, reason=Reason.GONE)
    if len(places) != 1:
        return _unclear("The history has no place of this number.")
    (message,) = places
    if not searched.matches(message):
        return _unclear("The history has another message at this number.")
    match state_of(message):
        case State.CHANGED:
            return Finding(Verdict.PRESENT, reason=Reason.IN_HISTORY)
        case State.CHANGED_BEFORE:
            return Finding(Verdict.PRESENT, TAKEN_BACK, reason=Reason.RECALLED_BEFORE)
        case State.TAKEN_BACK:
            return Finding(Verdict.ABSENT, TAKEN_BACK, reason=Reason.TAKEN_BACK)
        case State.AS_BEFORE:
            return Finding(Verdict.ABSENT)
    return _unclear("The history has neither the former text nor the new one.")


def next_number(pages: Sequence[HistoryPage]) -> int | None:
    """The newest number of the next page; ``None`` for the first page."""
    return _smallest(pages[-1]) - 1 if pages else None


def is_altered(sent: Sequence[Any], message: HistoryMessage) -> bool:
    """Whether the history has another text than the elements that were ``sent``.

    A message that was taken back has no text any more.
    """
    if message.place is not Place.MESSAGE:
        return False
    return texts_of(message.body) != texts_of(sent)


def without_others(searched: Searched, page: HistoryPage) -> HistoryPage:
    """The page without what other people wrote: it need not be in memory."""
    return replace(
        page,
        messages=tuple(
            message
            if searched.matches(message)
            else replace(message, body=[], raw=_public(message.raw))
            for message in page.messages
        ),
    )


def stored_answer(fields: Fields, page: HistoryPage) -> dict[str, object]:
    """The response as it is kept; ``page`` is one ``without_others``."""
    names = ("ActionStatus", "ErrorCode", "ErrorInfo", "GroupId", "IsFinished")
    head: dict[str, object] = {name: fields[name] for name in names if name in fields}
    return head | {"RspMsgList": [message.raw for message in page.messages]}


def as_json(values: Sequence[object]) -> str:
    return storable(json.dumps(values, ensure_ascii=False, separators=(",", ":")))


def _judge_interval(searched: Searched, interval: Sequence[HistoryMessage]) -> Finding:
    """The interval reaches back far enough, and the message is not in it."""
    if any(message.random == searched.random for message in interval):
        return _unclear("A message of another account has the same number (Random).")
    if any(_may_be_gone(searched, message) for message in interval):
        return _unclear("The history has a place without a message in that time.")
    numbers = [message.msg_seq for message in interval]
    if any(newer - older != 1 for newer, older in pairwise(numbers)):
        return _unclear("Numbers of messages are missing in the history.")
    return Finding(Verdict.ABSENT)


def _first_older(searched: Searched, messages: Sequence[HistoryMessage]) -> int | None:
    """The place of the newest message that is older than the interval."""
    for index, message in enumerate(messages):
        is_message = message.place is not Place.GONE
        if is_message and message.msg_time and message.msg_time < searched.since:
            return index
    return None


def _is_beginning(pages: Sequence[HistoryPage]) -> bool:
    """Whether the last page reaches the first message of the group."""
    page = pages[-1]
    if not page.messages:
        return page.is_finished
    return _smallest(page) <= 1


def _smallest(page: HistoryPage) -> int:
    return min(message.msg_seq for message in page.messages)


def _may_be_gone(searched: Searched, message: HistoryMessage) -> bool:
    """Whether this place may be that of the delivery's message."""
    is_older = bool(message.msg_time) and (message.msg_time or 0) < searched.since
    return message.place is Place.GONE and not is_older


def _public(raw: Mapping[str, Any]) -> dict[str, object]:
    return {name: raw[name] for name in PUBLIC_FIELDS if name in raw}


def _unclear(detail: str) -> Finding:
    return Finding(Verdict.UNCLEAR, detail)
