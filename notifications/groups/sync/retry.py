"""The decision after a failed call: a pure function that neither waits nor saves.

A call that only reads has no effect on users, so it is retried after every temporary
failure, also after those that leave the outcome of a notification unknown.
"""

from dataclasses import dataclass
from enum import Enum, auto

from notifications.tencent import error_codes
from notifications.tencent.outcomes import Outcome, OutcomeKind

MAX_TRIES = 5

TOO_LARGE = 10018

# Tencent returns these codes for a whole call because of one group in it.
GROUP_ERROR_CODES = frozenset({10010, 10015})


class SyncAction(Enum):
    RETRY = auto()
    REDUCE = auto()  # request fewer groups at once
    SKIP = auto()  # Tencent refuses this request; others may succeed
    GIVE_UP = auto()  # every other call would fail in the same way


@dataclass(frozen=True, slots=True)
class SyncDecision:
    """``delay``: seconds before a retry; ``slow_down``: reduce the rate of all calls."""

    action: SyncAction
    delay: float = 0.0
    slow_down: bool = False


def decide(outcome: Outcome, failures: int, delay: float) -> SyncDecision:
    """Return the next action after ``failures`` earlier ones; ``delay`` is the backoff."""
    if outcome.kind is not OutcomeKind.REJECTED or outcome.error_code is None:
        return _retry_later(failures, delay)
    if outcome.retry_with_new_signature and failures + 1 < MAX_TRIES:
        return SyncDecision(SyncAction.RETRY)
    info = error_codes.info(outcome.error_code)
    if info.scope is error_codes.Scope.ACCOUNT:
        return SyncDecision(SyncAction.GIVE_UP)
    if info.retry is error_codes.Retry.AFTER_BACKOFF:
        return _retry_later(failures, delay, slow_down=info.is_rate_limit)
    if info.code in GROUP_ERROR_CODES or info.code == TOO_LARGE:
        return SyncDecision(SyncAction.REDUCE)
    return SyncDecision(SyncAction.SKIP)


def _retry_later(
    failures: int, delay: float, *, slow_down: bool = False
) -> SyncDecision:
    if failures + 1 >= MAX_TRIES:
        return SyncDecision(SyncAction.GIVE_UP, slow_down=slow_down)
    return SyncDecision(SyncAction.RETRY, delay, slow_down=slow_down)
