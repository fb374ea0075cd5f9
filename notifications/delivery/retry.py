"""What an outcome means for its delivery: the rules of retrying, and nothing else.

No sleeping, no saving, no clock: a table of outcomes in, a verdict out. The lists are
data in notifications/im/error_codes.json.
"""

from dataclasses import dataclass
from enum import Enum, auto

from notifications.im import codes
from notifications.im.outcomes import Outcome, OutcomeKind
from notifications.pacing.backoff import backoff

MAX_REJECTIONS = 4
MAX_NOT_SENT = 4
INTERNAL_ERROR = 10002
DOUBT_LIMIT = 20


class Step(Enum):
    ACCEPT = auto()
    FAIL = auto()
    LEAVE_UNCONFIRMED = auto()
    TRY_AGAIN = auto()
    FAIL_AND_PAUSE = auto()  # the text is refused: the other groups would fail alike
    PUT_BACK_AND_PAUSE = auto()  # nothing is burnt while the account is mended


@dataclass(frozen=True, slots=True)
class Verdict:
    """``delay`` in seconds before the next attempt; ``slow_down`` is for the whole app."""

    step: Step
    delay: float = 0.0
    slow_down: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier attempts for the same delivery came to."""

    rejections: int = 0
    not_sent_streak: int = 0
    last_code: int | None = None


def decide(
    outcome: Outcome, past: Past, *, jitter: float, retry_internal_error: bool
) -> Verdict:
    """The next step for the delivery whose call came to ``outcome``."""
    if outcome.kind is OutcomeKind.ACCEPTED:
        return Verdict(Step.ACCEPT)
    if outcome.kind is OutcomeKind.UNCONFIRMED:
        return Verdict(Step.LEAVE_UNCONFIRMED)
    if outcome.kind is OutcomeKind.NOT_SENT:
        streak = past.not_sent_streak + 1
        step = Step.PUT_BACK_AND_PAUSE if streak >= MAX_NOT_SENT else Step.TRY_AGAIN
        return Verdict(step, delay=backoff(streak - 1, jitter))
    if outcome.error_code is None:
        raise ValueError("A rejected outcome has no ErrorCode: it is no verdict.")
    if outcome.signed_anew and past.rejections + 1 < MAX_REJECTIONS:
        return _signed_anew(past, jitter)
    return _rejected(outcome.error_code, past, jitter, retry_internal_error)


def _signed_anew(past: Past, jitter: float) -> Verdict:
    """At once, and when it was so before, later: other workers learn of it by then."""
    was_so = past.last_code is not None and codes.info(past.last_code).refuses_user_sig
    delay = backoff(past.rejections + 1, jitter) if was_so else 0.0
    return Verdict(Step.TRY_AGAIN, delay)


def _rejected(
    code: int, past: Past, jitter: float, retry_internal_error: bool
) -> Verdict:
    info = codes.info(code)
    if info.scope is codes.Scope.ACCOUNT:
        return Verdict(Step.PUT_BACK_AND_PAUSE)
    if info.scope is codes.Scope.NOTIFICATION:
        return Verdict(Step.FAIL_AND_PAUSE)
    may_repeat = info.can_be_retried or (
        code == INTERNAL_ERROR and retry_internal_error
    )
    if may_repeat and past.rejections + 1 < MAX_REJECTIONS:
        delay = backoff(past.rejections + 1, jitter)
        return Verdict(Step.TRY_AGAIN, delay, slow_down=info.is_rate_limit)
    return Verdict(Step.FAIL, slow_down=info.is_rate_limit)
