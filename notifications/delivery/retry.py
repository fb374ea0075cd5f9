"""Decisions after a call: retry rules and the circuit breaker.

The rules are pure functions of an outcome: they do not sleep, save or read a clock. The
lists of codes are data in notifications/tencent/data/error_codes.json.

The other circuit breakers (a rejected account, a rejected text, a streak of doubtful
outcomes) do not count rows; they are in ``decide`` and in results.py.
"""

from dataclasses import dataclass
from enum import Enum, auto

from notifications.delivery.channels.base import Channel
from notifications.models import Delivery, Notification
from notifications.rate_limit.backoff import backoff
from notifications.tencent import error_codes
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason

MAX_REJECTIONS = 4

MAX_NOT_SENT = 4

# In seconds, after the last failure that is retried.
MAX_BACKOFF = backoff(max(MAX_REJECTIONS, MAX_NOT_SENT) - 1, jitter=1)

INTERNAL_ERROR = 10002

DOUBT_LIMIT = 20


class Decision(Enum):
    ACCEPT = auto()
    FAIL = auto()
    LEAVE_UNCONFIRMED = auto()
    RETRY = auto()
    FAIL_AND_PAUSE = auto()  # the text is rejected: all groups would fail
    REQUEUE_AND_PAUSE = auto()  # the account is rejected: keep deliveries queued


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """``delay`` is in seconds; ``slow_down`` applies to the calls of all workers.

    ``reason`` is that of a delivery whose result is not the ErrorCode alone.
    """

    step: Decision
    delay: float = 0.0
    slow_down: bool = False
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class AttemptHistory:
    """A summary of earlier attempts for the same delivery."""

    rejections: int = 0
    not_sent_streak: int = 0
    last_code: int | None = None


def decide(
    outcome: Outcome,
    history: AttemptHistory,
    channel: Channel,
    *,
    jitter: float,
    retry_internal_error: bool,
) -> RetryDecision:
    """Return the next step for a delivery after a call with ``outcome``."""
    if outcome.kind is OutcomeKind.ACCEPTED:
        return RetryDecision(Decision.ACCEPT)
    if outcome.kind is OutcomeKind.UNCONFIRMED:
        return RetryDecision(Decision.LEAVE_UNCONFIRMED, reason=outcome.reason)
    if outcome.kind is OutcomeKind.NOT_SENT:
        streak = history.not_sent_streak + 1
        step = Decision.REQUEUE_AND_PAUSE if streak >= MAX_NOT_SENT else Decision.RETRY
        return RetryDecision(step, delay=backoff(streak - 1, jitter))
    if outcome.error_code is None:
        raise ValueError("A rejected outcome has no ErrorCode.")
    can_retry = history.rejections + 1 < MAX_REJECTIONS
    delay = backoff(history.rejections + 1, jitter)
    if outcome.error_code == 0:
        if can_retry:
            return RetryDecision(Decision.RETRY, delay, reason=Reason.DROPPED)
        return RetryDecision(Decision.FAIL, reason=Reason.DROPPED)
    if outcome.retry_with_new_signature and can_retry:
        # Retry at once. After a second refusal wait, until other workers use the new key.
        last = error_codes.info(history.last_code or 0, channel.command)
        return RetryDecision(Decision.RETRY, delay if last.refuses_user_sig else 0.0)
    info = error_codes.info(outcome.error_code, channel.command)
    if info.scope is error_codes.Scope.ACCOUNT:
        return RetryDecision(Decision.REQUEUE_AND_PAUSE)
    if info.scope is error_codes.Scope.NOTIFICATION:
        return RetryDecision(Decision.FAIL_AND_PAUSE)
    if channel.settles_uncertain_codes and not info.certain:
        return RetryDecision(Decision.LEAVE_UNCONFIRMED, reason=Reason.UNCERTAIN_CODE)
    is_internal_error = info.code == INTERNAL_ERROR
    if can_retry and (
        info.can_be_retried or (is_internal_error and retry_internal_error)
    ):
        return RetryDecision(Decision.RETRY, delay, slow_down=info.is_rate_limit)
    return RetryDecision(Decision.FAIL, slow_down=info.is_rate_limit)


WINDOW = 200
FAILURE_LIMIT = WINDOW // 2


def too_many_failures(notification: Notification) -> bool:
    """Return whether half of the last 200 ended deliveries have failed.

    Always false with fewer than 200. Counts only deliveries that ended after the start or
    the last resume, so that earlier failures do not pause a resumed notification again.
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
        and statuses.count(Delivery.Status.FAILED) >= FAILURE_LIMIT
    )
