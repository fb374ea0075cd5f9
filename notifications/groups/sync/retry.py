"""What an answer that is no success means: a table, no sleeping and no saving.

A call that reads shows nothing to anybody, so it is tried again after every failure
that may pass by itself, also where a notice would be in doubt.
"""

from dataclasses import dataclass
from enum import Enum, auto

from notifications.tencent import error_codes
from notifications.tencent.outcomes import Outcome, OutcomeKind

MAX_TRIES = 5

TOO_LARGE = 10018

# Said of a whole call, these are about a group in it.
OF_ONE_GROUP = frozenset({10010, 10015})


class SyncStep(Enum):
    TRY_AGAIN = auto()
    SMALLER = auto()  # ask for less at once
    REFUSED = auto()  # this question is not answered; another one may be
    GIVE_UP = auto()  # every other call would fail alike


@dataclass(frozen=True, slots=True)
class SyncDecision:
    """``delay`` in seconds before the next try; ``slow_down`` is for the whole app."""

    step: SyncStep
    delay: float = 0.0
    slow_down: bool = False


def decide(outcome: Outcome, failures: int, delay: float) -> SyncDecision:
    """The next step after ``failures`` earlier ones; ``delay`` is the backoff."""
    if outcome.kind is not OutcomeKind.REJECTED or outcome.error_code is None:
        return _later(failures, delay)
    if outcome.signed_anew and failures + 1 < MAX_TRIES:
        return SyncDecision(SyncStep.TRY_AGAIN)
    info = error_codes.info(outcome.error_code)
    if info.scope is error_codes.Scope.ACCOUNT:
        return SyncDecision(SyncStep.GIVE_UP)
    if info.retry is error_codes.Retry.AFTER_BACKOFF:
        return _later(failures, delay, slow_down=info.is_rate_limit)
    if info.code in OF_ONE_GROUP or info.code == TOO_LARGE:
        return SyncDecision(SyncStep.SMALLER)
    return SyncDecision(SyncStep.REFUSED)


def _later(failures: int, delay: float, *, slow_down: bool = False) -> SyncDecision:
    if failures + 1 >= MAX_TRIES:
        return SyncDecision(SyncStep.GIVE_UP, slow_down=slow_down)
    return SyncDecision(SyncStep.TRY_AGAIN, delay, slow_down=slow_down)
