"""Parsing responses: when a response is a verdict of Tencent.

Only HTTP 200 with a JSON object that holds an integer ``ErrorCode`` is accepted or
rejected. After any other response, the group may have seen the notice.

``ActionStatus`` must agree with the code: OK with 0, FAIL with another one. A response
that contradicts itself is no verdict. Without an ``ActionStatus`` (missing, null or
empty), the code decides. Any value but OK and FAIL, in upper or lower case, is another
shape.

A response that cannot be parsed, or whose shape is not the documented one, is no
verdict as a whole. Each call in ``tencent/calls`` parses the fields of its responses.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason, unconfirmed

# The range of the database column; documented codes are far smaller.
CODES = range(-(2**31), 2**31)
# What each ActionStatus states about the call.
_SUCCEEDED = {"OK": True, "FAIL": False}

Fields = Mapping[str, Any]


def parse_response(status: int, body: bytes) -> tuple[Outcome, Fields]:
    """Return the outcome and the fields of the response; no fields without a verdict."""
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
    action_status = answer.get("ActionStatus")
    if action_status is None:
        action_status = ""
    outcome = Outcome(
        OutcomeKind.ACCEPTED if code == 0 else OutcomeKind.REJECTED,
        http_status=status,
        action_status=storable(action_status),
        error_code=code,
        error_info=storable(answer.get("ErrorInfo", "")),
    )
    if action_status == "":
        return outcome, answer
    if not isinstance(action_status, str) or action_status.upper() not in _SUCCEEDED:
        return bad_answer("The ActionStatus is neither OK nor FAIL."), {}
    if _SUCCEEDED[action_status.upper()] != (code == 0):
        return replace(
            outcome,
            kind=OutcomeKind.UNCONFIRMED,
            reason=Reason.CONTRADICTION,
            detail=f"The answer holds ActionStatus {action_status} and ErrorCode {code}.",
            error_code=None,
        ), {}
    return outcome, answer


def bad_answer(detail: str) -> Outcome:
    """The outcome of HTTP 200 with an undocumented body: no verdict."""
    return unconfirmed(Reason.BAD_ANSWER, detail, 200)


def is_code(value: object) -> bool:
    """Whether a value is an integer in the range of an ErrorCode; a bool is not."""
    return type(value) is int and value in CODES


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    for verdict in ("ErrorCode", "ActionStatus"):
        if verdict in fields and [name for name, _value in pairs].count(verdict) > 1:
            raise ValueError(f"Two values of {verdict}: the verdict is ambiguous.")
    return fields


def storable(value: Any) -> str:
    """The text of a value; visible characters replace what no database can store."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # "replace" puts "?" for halves of surrogate pairs, the only ones UTF-8 cannot hold.
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Response(Generic[T]):
    """The outcome, and the parsed ``data`` of an accepted call."""

    outcome: Outcome
    data: T | None = None


def parse_http_date(date: str) -> float | None:
    """Unix seconds of an HTTP ``Date``, or ``None`` if it cannot be parsed."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
