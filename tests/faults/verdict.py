"""The verdict on one send: the requests that the endpoint received against the rows.

The endpoint's journal is the reference; this module does not depend on the engine. It
is a pure function of plain data, so that tests can cover each kind of violation.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

OPEN = ("queued", "sending")

# RetCodes of a recall.
NO_SUCH_MESSAGE, CANNOT_BE_RECALLED = 10030, 10032


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the endpoint received; ``code`` is ``None`` without an answer.

    ``stored``: whether the history of the group has the message, which has the number
    ``random``. For a recall or a correction: whether this call carried it out.
    """

    group_id: str
    code: int | None
    stored: bool = False
    random: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery. ``attempts`` are (outcome, ErrorCode) in their order."""

    group_id: str
    status: str
    code: int | None = None
    reason: str = ""
    attempts: Sequence[tuple[str, int | None]] = ()


@dataclass(slots=True)
class Verdict:
    """The violations in a send; all zero if the promise was kept.

    ``twice``   calls beyond the first that no earlier attempt explains
    ``lost``    groups without a row, calls without a trace in the rows, rows that
                contradict the endpoint
    ``stuck``   rows that did not end in the time allowed
    """

    deliveries: int = 0
    twice: int = 0
    lost: int = 0
    stuck: int = 0
    unconfirmed: int = 0
    problems: list[str] = field(default_factory=list)


def judge(groups: Sequence[str], calls: Sequence[Call], rows: Sequence[Row]) -> Verdict:
    """Compare the journal of one send with its rows; ``groups`` are those chosen."""
    verdict = Verdict(deliveries=len(groups))
    calls_of: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        calls_of[call.group_id].append(call)
    rows_of = {row.group_id: row for row in rows}
    for group_id in groups:
        row = rows_of.pop(group_id, None)
        if row is None:
            verdict.lost += 1
            verdict.problems.append(f"{group_id}: there is no row")
            verdict.twice += max(0, len(calls_of[group_id]) - 1)
            continue
        _judge_row(verdict, row, calls_of[group_id])
    for group_id in rows_of:
        verdict.lost += 1
        verdict.problems.append(f"{group_id}: a row outside the audience")
    return verdict


def _judge_row(verdict: Verdict, row: Row, calls: Sequence[Call]) -> None:
    verdict.unconfirmed += row.status == "unconfirmed"
    surplus = len(calls) - 1 - _calls_explained(row)
    if surplus > 0:
        verdict.twice += surplus
        _note(verdict, row, calls, "called twice without cause")
    if row.status in OPEN:
        verdict.stuck += 1
        _note(verdict, row, calls, "did not end")
    elif contradiction := _contradiction(row, calls):
        verdict.lost += 1
        _note(verdict, row, calls, contradiction)


def _calls_explained(row: Row) -> int:
    """How many calls were followed by another one for a good reason: an answer that
    refused. A call that was "not sent" must not be in the journal at all."""
    return sum(outcome == "rejected" for outcome, _code in row.attempts[:-1])


def _contradiction(row: Row, calls: Sequence[Call]) -> str:
    """The contradiction between a row and the endpoint, or an empty string."""
    answers = {call.code for call in calls}
    is_stored = any(call.stored for call in calls)
    if row.reason == "in_history":
        return "" if is_stored else "accepted, but the history never had it"
    if row.reason == "recalled_before":
        is_refused = answers & {NO_SUCH_MESSAGE, CANNOT_BE_RECALLED}
        return "" if is_refused else "taken back before, but it was not refused"
    if row.reason in ("not_in_history", "still_there"):
        return "failed as not in the history, which has it" if is_stored else ""
    if row.reason == "not_known":
        return "failed without a call, but it was called" if calls else ""
    if row.status == "failed" and is_stored:
        return "failed, but the history has it"
    if row.reason == "restored":
        return ""  # the history since the backup is gone, and the row says so
    if row.status == "accepted" and 0 not in answers:
        return "accepted, but the endpoint accepted no call"
    if row.status == "failed" and row.code not in answers:
        return f"failed({row.code}), but the endpoint never said so"
    if row.status == "cancelled" and calls:
        return "cancelled, but it was called"
    if len(calls) > sum(outcome != "not_sent" for outcome, _code in row.attempts):
        return "calls that no attempt tells of"
    return ""


def _note(verdict: Verdict, row: Row, calls: Sequence[Call], problem: str) -> None:
    codes = [call.code for call in calls]
    attempts = [outcome for outcome, _code in row.attempts]
    verdict.problems.append(
        f"{row.group_id}: {problem}; row {row.status}({row.reason or row.code}), "
        f"attempts {attempts}, the endpoint's answers {codes}"
    )
