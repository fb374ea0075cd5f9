"""Parsing responses: when a response is a verdict of Tencent.

Accepted or rejected is said only of HTTP 200 with a JSON object that holds an integer
``ErrorCode``. Whatever else comes back after the request left, the group may have seen
the notice.

An answer of another shape than the documented one is no verdict, like any answer that
cannot be read: nothing is concluded from half of it. The values that an answer holds
are parsed by its call, in ``tencent/calls``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason, unconfirmed

# A database column holds no larger number, and no documented code comes near.
_CODES = range(-(2**31), 2**31)


Fields = Mapping[str, Any]


class _TwoCodes(ValueError):
    """One answer with two ErrorCodes: no telling which one is meant."""


def parse_response(status: int, body: bytes) -> tuple[Outcome, Fields]:
    """The outcome, and all fields of the answer as they came; none without a verdict."""
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


@dataclass(frozen=True, slots=True)
class Response(Generic[T]):
    """The verdict, and what was read; ``data`` is there when it was accepted."""

    outcome: Outcome
    data: T | None = None


def moment(date: str) -> float | None:
    """Unix seconds of a ``Date`` of HTTP; ``None`` for what is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
