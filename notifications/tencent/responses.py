"""Parsing responses: when a response is a verdict of Tencent, and the values it holds.

Accepted or rejected is said only of HTTP 200 with a JSON object that holds an integer
``ErrorCode``. Whatever else comes back after the request left, the group may have seen
the notice.

An answer of another shape than the documented one is no verdict, like any answer that
cannot be read: nothing is concluded from half of it.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason, unconfirmed

# A database column holds no larger number, and no documented code comes near.
_CODES = range(-(2**31), 2**31)


Fields = Mapping[str, Any]


class _TwoCodes(ValueError):
    """One answer with two ErrorCodes: no telling which one is meant."""


def read_answer(status: int, body: bytes) -> Outcome:
    """The outcome that an answer stands for; its fields are kept as they came."""
    outcome, _fields = read_fields(status, body)
    return outcome


def read_fields(status: int, body: bytes) -> tuple[Outcome, Fields]:
    """The outcome, and all fields of the answer; none where there is no verdict."""
    if status != 200:
        detail = f"The service answered HTTP {status}."
        return unconfirmed(Reason.HTTP_STATUS, detail, status), {}
    try:
        answer = json.loads(body.decode("utf-8"), object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return bad_answer("The answer is not the JSON that is documented."), {}
    if not isinstance(answer, dict):
        return bad_answer("The answer is not a JSON object."), {}
    code = answer.get("ErrorCode")
    if not is_code(code):
        return bad_answer("The answer holds no integer ErrorCode."), {}
    outcome = Outcome(
        OutcomeKind.ACCEPTED if code == 0 else OutcomeKind.REJECTED,
        http_status=status,
        action_status=storable(answer.get("ActionStatus", "")),
        error_code=code,
        error_info=storable(answer.get("ErrorInfo", "")),
    )
    return outcome, answer


def bad_answer(detail: str) -> Outcome:
    """HTTP 200, but not what is documented: no verdict."""
    return unconfirmed(Reason.BAD_ANSWER, detail, 200)


def is_code(value: object) -> bool:
    """An integer that an ErrorCode can be. True is an int to Python, but no code."""
    return type(value) is int and value in _CODES


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if sum(name == "ErrorCode" for name, _value in pairs) > 1:
        raise _TwoCodes
    return dict(pairs)


def storable(value: Any) -> str:
    """As it came; only what no database can store is replaced, visibly."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.encode("utf-8", "replace").decode() if _has_surrogate(text) else text
    return text.replace("\x00", "\ufffd")


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


T = TypeVar("T")


# The page's Next exceeds 32 bits; a database column holds 63.
_NEXT = range(2**63)

_MEMBERS = range(2**31)


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """The verdict, and what was read; ``data`` is there when it was accepted."""

    outcome: Outcome
    data: T | None = None


@dataclass(frozen=True, slots=True)
class GroupPage:
    """IDs of groups; ``next`` is 0 on the last page, ``total`` of all pages."""

    group_ids: tuple[str, ...]
    next: int
    total: int


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """One group, or with an ``error_code`` why Tencent does not show it.

    ``type`` and ``name`` may be empty; ``member_count`` is ``None`` where Tencent gives
    none, as for live rooms.
    """

    group_id: str
    error_code: int = 0
    error_info: str = ""
    type: str = ""
    name: str = ""
    member_count: int | None = None


class _OtherShape(ValueError):
    """The message names the field that is not as documented."""


def read(answered: tuple[Outcome, Fields], parse: Callable[[Fields], T]) -> Read[T]:
    """What ``parse`` makes of an accepted answer."""
    outcome, fields = answered
    if outcome.kind is not OutcomeKind.ACCEPTED:
        return Read(outcome)
    try:
        return Read(outcome, parse(fields))
    except _OtherShape as error:
        return Read(bad_answer(f"{error} is not as documented."))


def group_page(fields: Fields) -> GroupPage:
    """The answer of get_appid_group_list."""
    next_page = fields.get("Next")
    if type(next_page) is not int or next_page not in _NEXT:
        raise _OtherShape("Next")
    total = fields.get("TotalCount")
    if type(total) is not int or total < 0:
        raise _OtherShape("TotalCount")
    # Programs that leave out empty lists have been seen.
    rows = _rows(fields, "GroupIdList") if total or "GroupIdList" in fields else []
    return GroupPage(tuple(_id(row, "GroupId") for row in rows), next_page, total)


def group_infos(fields: Fields) -> tuple[GroupInfo, ...]:
    """The answer of get_group_info."""
    return tuple(_info(row) for row in _rows(fields, "GroupInfo"))


def members(fields: Fields) -> frozenset[str]:
    """The accounts in the answer of get_specified_group_member_info; none: no list."""
    rows = _rows(fields, "MemberList") if "MemberList" in fields else []
    return frozenset(_id(row, "Member_Account") for row in rows)


def known_accounts(fields: Fields) -> frozenset[str]:
    """Those that are there, in the answer of account_check."""
    return frozenset(
        _id(row, "UserID")
        for row in _rows(fields, "ResultItem")
        if row.get("AccountStatus") == "Imported"
    )


def moment(date: str) -> float | None:
    """Unix seconds of a ``Date`` of HTTP; ``None`` for what is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _info(row: Fields) -> GroupInfo:
    group_id = _id(row, "GroupId")
    code = row.get("ErrorCode", 0)
    if not is_code(code):
        raise _OtherShape("The ErrorCode of a group")
    if code:
        return GroupInfo(group_id, code, storable(row.get("ErrorInfo", "")))
    count = row.get("MemberNum")
    is_number = type(count) is int and count in _MEMBERS
    return GroupInfo(
        group_id,
        type=_line(row.get("Type")),
        name=_line(row.get("Name")),
        member_count=count if is_number else None,
    )


def _rows(fields: Fields, name: str) -> list[dict[str, Any]]:
    rows = fields.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _OtherShape(name)
    return rows


def _id(row: Fields, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise _OtherShape(name)
    return storable(value)


def _line(value: object) -> str:
    """A text in one line: control characters become spaces, its ends are cut."""
    if not isinstance(value, str):
        return ""
    if value.isprintable():
        return value.strip()
    is_odd = "Cc", "Cs"  # controls, and halves of characters
    return "".join(
        " " if unicodedata.category(char) in is_odd else char for char in value
    ).strip()
