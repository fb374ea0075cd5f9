"""Decisions after a call: retry rules and the circuit breaker.

No sleeping, no saving, no clock: a table of outcomes in, a verdict out. The lists are
data in notifications/tencent/data/error_codes.json.

The other breakers (a refused account, a refused text, a streak of doubt) need no
counting over rows; they are in ``decide`` and in results.py.
"""

from dataclasses import dataclass
from enum import Enum, auto

from notifications.models import Delivery, Notification
from notifications.rate_limit.backoff import backoff
from notifications.tencent import error_codes
from notifications.tencent.outcomes import Outcome, OutcomeKind

MAX_REJECTIONS = 4

MAX_NOT_SENT = 4

# In seconds: after the last failure that is tried again.
LONGEST_BACKOFF = backoff(max(MAX_REJECTIONS, MAX_NOT_SENT) - 1, jitter=1)

INTERNAL_ERROR = 10002

DOUBT_LIMIT = 20


class Decision(Enum):
    ACCEPT = auto()
    FAIL = auto()
    LEAVE_UNCONFIRMED = auto()
    TRY_AGAIN = auto()
    FAIL_AND_PAUSE = auto()  # the text is refused: the other groups would fail alike
    PUT_BACK_AND_PAUSE = auto()  # nothing is burnt while the account is mended


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """``delay`` in seconds before the next attempt; ``slow_down`` is for the whole app."""

    step: Decision
    delay: float = 0.0
    slow_down: bool = False


@dataclass(frozen=True, slots=True)
class AttemptHistory:
    """What earlier attempts for the same delivery came to."""

    rejections: int = 0
    not_sent_streak: int = 0
    last_code: int | None = None


def decide(
    outcome: Outcome, past: AttemptHistory, *, jitter: float, retry_internal_error: bool
) -> RetryDecision:
    """The next step for the delivery whose call came to ``outcome``."""
    if outcome.kind is OutcomeKind.ACCEPTED:
        return RetryDecision(Decision.ACCEPT)
    if outcome.kind is OutcomeKind.UNCONFIRMED:
        return RetryDecision(Decision.LEAVE_UNCONFIRMED)
    if outcome.kind is OutcomeKind.NOT_SENT:
        streak = past.not_sent_streak + 1
        step = (
            Decision.PUT_BACK_AND_PAUSE
            if streak >= MAX_NOT_SENT
            else Decision.TRY_AGAIN
        )
        return RetryDecision(step, delay=backoff(streak - 1, jitter))
    if outcome.error_code is None:
        raise ValueError("A rejected outcome has no ErrorCode: it is no verdict.")
    if outcome.signed_anew and past.rejections + 1 < MAX_REJECTIONS:
        return _retry_with_new_signature(past, jitter)
    return _rejected(outcome.error_code, past, jitter, retry_internal_error)


def _retry_with_new_signature(past: AttemptHistory, jitter: float) -> RetryDecision:
    """At once, and when it was so before, later: other workers learn of it by then."""
    was_so = (
        past.last_code is not None and error_codes.info(past.last_code).refuses_user_sig
    )
    delay = backoff(past.rejections + 1, jitter) if was_so else 0.0
    return RetryDecision(Decision.TRY_AGAIN, delay)


def _rejected(
    code: int, past: AttemptHistory, jitter: float, retry_internal_error: bool
) -> RetryDecision:
    info = error_codes.info(code)
    if info.scope is error_codes.Scope.ACCOUNT:
        return RetryDecision(Decision.PUT_BACK_AND_PAUSE)
    if info.scope is error_codes.Scope.NOTIFICATION:
        return RetryDecision(Decision.FAIL_AND_PAUSE)
    may_repeat = info.can_be_retried or (
        code == INTERNAL_ERROR and retry_internal_error
    )
    if may_repeat and past.rejections + 1 < MAX_REJECTIONS:
        delay = backoff(past.rejections + 1, jitter)
        return RetryDecision(Decision.TRY_AGAIN, delay, slow_down=info.is_rate_limit)
    return RetryDecision(Decision.FAIL, slow_down=info.is_rate_limit)


WINDOW = 200

MOST_FAILED = WINDOW // 2


def too_many_failures(notification: Notification) -> bool:
    """Whether half of the last 200 deliveries that ended have failed.

    Never on fewer than 200, and only what ended since the start or the last resume
    counts: a person who goes on after a look is not stopped by what he has seen.
    """
    ended = Delivery.objects.filter(
        notification=notification, finished_at__isnull=False
    )
    if notification.watched_since is not None:
        ended = ended.filter(finished_at__gte=notification.watched_since)
    last = ended.order_by("-finished_at", "-id")
    statuses = list(last.values_list("status", flat=True)[:WINDOW])
    return (
        len(statuses) == WINDOW
        and statuses.count(Delivery.Status.FAILED) >= MOST_FAILED
    )
