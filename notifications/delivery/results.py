"""Writing what came of the calls, inside the worker's transaction.

Every UPDATE is limited to rows that are still sending and still ours. A result for a
row that recovery gave up meanwhile changes nothing: it becomes an audit entry beside
the delivery.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from notifications import audit_log
from notifications.delivery import retry as delivery_retry
from notifications.delivery.audit_events import LATE_ANSWER, PAUSED
from notifications.delivery.claim import Claim
from notifications.delivery.http_workers import Result
from notifications.delivery.retry import DOUBT_LIMIT, Decision, RetryDecision, decide
from notifications.models import Attempt, Delivery, Notification
from notifications.models.deliveries import DeliveryQuerySet
from notifications.tencent.outcomes import Outcome, OutcomeKind

logger = logging.getLogger(__name__)


DOUBTFUL = frozenset({OutcomeKind.NOT_SENT, OutcomeKind.UNCONFIRMED})


@dataclass(slots=True)
class WriteSummary:
    """What the results ask of the whole app."""

    slow_down: bool = False


class ResultWriter:
    """The results of one tick. ``jitter`` gives random numbers from 0 to 1."""

    def __init__(
        self,
        worker_id: int,
        now: datetime,
        *,
        retry_internal_error: bool,
        jitter: random.Random,
    ) -> None:
        self.worker_id = worker_id
        self.now = now
        self.retry_internal_error = retry_internal_error
        self.jitter = jitter
        self.settled = WriteSummary()
        # Gathered over the tick: one UPDATE for all that go the same way.
        self.accepted: list[int] = []
        self.not_called: list[int] = []
        self.attempts: list[Attempt] = []
        self.failed_in: set[int] = set()  # notifications with a failure in this tick

    def write(self, results: Sequence[Result[Claim]]) -> WriteSummary:
        # Locked in this order by all that lock several: notification, pace, delivery.
        # The chores skip what is locked.
        notifications = (
            Notification.objects.select_for_update()
            .only("status", "doubt_streak", "watched_since")
            .in_bulk(sorted({result.request.notification_id for result in results}))
        )
        ids = [result.request.delivery_id for result in results]
        ours = set(
            self._ours()
            .filter(pk__in=ids)
            .select_for_update()
            .values_list("pk", flat=True)
        )
        by_notification = defaultdict(list)
        for result in sorted(results, key=lambda r: r.finished_at):
            if result.request.delivery_id in ours:
                by_notification[result.request.notification_id].append(result)
            elif result.outcome is not None and not _is_written(result):
                self._write_late(result, result.outcome)
        for pk, own in by_notification.items():
            self._settle_notification(notifications[pk], own)
        self._write_accepted()
        self._write_not_called()
        Attempt.objects.bulk_create(self.attempts)
        for pk in self.failed_in:
            if delivery_retry.too_many_failures(notifications[pk]):
                self._pause(notifications[pk], Notification.PauseReason.FAILURES)
        for notification in notifications.values():
            # What went back to the queue has no queue to wait in any more.
            if notification.status == Notification.Status.CANCELLED:
                notification.deliveries.cancel_waiting(self.now)
        return self.settled

    def _ours(self) -> DeliveryQuerySet:
        return Delivery.objects.filter(
            status=Delivery.Status.SENDING, owner=self.worker_id
        )

    def _settle_notification(
        self, notification: Notification, results: Iterable[Result[Claim]]
    ) -> None:
        streak = notification.doubt_streak
        for result in results:
            if result.outcome is None:
                self.not_called.append(result.request.delivery_id)
                continue
            self._add_attempt(result, result.outcome)
            streak = streak + 1 if result.outcome.kind in DOUBTFUL else 0
            verdict = decide(
                result.outcome,
                result.request.past,
                jitter=self.jitter.random(),
                retry_internal_error=self.retry_internal_error,
            )
            self._apply(notification, result.request, result.outcome, verdict)
            if streak >= DOUBT_LIMIT:
                self._pause(notification, Notification.PauseReason.DOUBT)
        if streak != notification.doubt_streak:
            Notification.objects.filter(pk=notification.pk).update(doubt_streak=streak)

    def _apply(
        self,
        notification: Notification,
        claim: Claim,
        outcome: Outcome,
        verdict: RetryDecision,
    ) -> None:
        self.settled.slow_down |= verdict.slow_down
        answer = {"error_code": outcome.error_code, "error_info": outcome.error_info}
        match verdict.step:
            case Decision.ACCEPT:
                self.accepted.append(claim.delivery_id)
            case Decision.LEAVE_UNCONFIRMED:
                self._end(
                    claim, Delivery.Status.UNCONFIRMED, reason=outcome.reason or ""
                )
            case Decision.FAIL:
                self._end(claim, Delivery.Status.FAILED, **answer)
                self.failed_in.add(notification.pk)
            case Decision.FAIL_AND_PAUSE:
                self._end(claim, Delivery.Status.FAILED, **answer)
                self._pause(
                    notification,
                    Notification.PauseReason.TEXT_CODE,
                    outcome.error_code,
                )
            case Decision.TRY_AGAIN | Decision.PUT_BACK_AND_PAUSE:
                self._wait(notification, claim, outcome, verdict)

    def _wait(
        self,
        notification: Notification,
        claim: Claim,
        outcome: Outcome,
        verdict: RetryDecision,
    ) -> None:
        if outcome.kind is OutcomeKind.NOT_SENT:
            reason = Notification.PauseReason.NOT_SENT
            changes: dict[str, object] = {
                "not_sent_streak": claim.past.not_sent_streak + 1
            }
        else:
            reason = Notification.PauseReason.ACCOUNT_CODE
            changes = {
                "not_sent_streak": 0,
                "rejection_count": claim.past.rejections + (verdict.delay > 0),
                "error_code": outcome.error_code,
                "error_info": outcome.error_info,
            }
        later = self.now + timedelta(seconds=verdict.delay)
        self._put_back(claim, not_before=later, **changes)
        if verdict.step is Decision.PUT_BACK_AND_PAUSE:
            self._pause(notification, reason, outcome.error_code)

    def _put_back(self, claim: Claim, **changes: object) -> None:
        self._leave_sending(claim, status=Delivery.Status.QUEUED, **changes)

    def _end(self, claim: Claim, status: str, **changes: object) -> None:
        self._leave_sending(claim, status=status, finished_at=self.now, **changes)

    def _leave_sending(self, claim: Claim, **changes: object) -> None:
        self._ours().filter(pk=claim.delivery_id).update(owner=None, **changes)

    def _write_not_called(self) -> None:
        if self.not_called:
            self._ours().filter(pk__in=self.not_called).update(
                status=Delivery.Status.QUEUED,
                owner=None,
                attempt_count=F("attempt_count") - 1,
            )

    def _write_accepted(self) -> None:
        if not self.accepted:
            return
        self._ours().filter(pk__in=self.accepted).update(
            status=Delivery.Status.ACCEPTED,
            error_code=0,
            error_info="",
            owner=None,
            finished_at=self.now,
        )

    def _add_attempt(self, result: Result[Claim], outcome: Outcome) -> None:
        logger.debug(
            "Attempt %d: %s.",
            result.request.attempt,
            outcome.kind.value,
            extra=result.request.about,
        )
        self.attempts.append(
            Attempt(
                delivery_id=result.request.delivery_id,
                number=result.request.attempt,
                worker=self.worker_id,
                started_at=result.started_at,
                finished_at=result.finished_at,
                outcome=outcome.kind.value,
                reason=outcome.reason or "",
                detail=outcome.detail,
                http_status=outcome.http_status,
                action_status=outcome.action_status,
                error_code=outcome.error_code,
                error_info=outcome.error_info,
            )
        )

    def _pause(
        self,
        notification: Notification,
        reason: Notification.PauseReason,
        code: int | None = None,
    ) -> None:
        if notification.status != Notification.Status.SENDING:
            return
        notification.pause(reason, code=code)
        why = reason.value if code is None else f"{reason.value}, ErrorCode {code}"
        logger.warning("Paused: %s.", why, extra={"notification": notification.pk})
        audit_log.write(
            PAUSED,
            f"worker {self.worker_id}",
            notification=notification.pk,
            reason=reason.value,
            code=code,
        )

    def _write_late(self, result: Result[Claim], outcome: Outcome) -> None:
        logger.warning(
            "An answer came after the delivery was given up: %s.",
            outcome.kind.value,
            extra=result.request.about,
        )
        audit_log.write(
            LATE_ANSWER,
            f"worker {self.worker_id}",
            notification=result.request.notification_id,
            delivery=result.request.delivery_id,
            attempt=result.request.attempt,
            outcome=outcome.kind.value,
            reason=outcome.reason or "",
            http_status=outcome.http_status,
            error_code=outcome.error_code,
            error_info=outcome.error_info,
        )


def _is_written(result: Result[Claim]) -> bool:
    """Whether a commit had this result already, though its answer was lost."""
    return Attempt.objects.filter(
        delivery=result.request.delivery_id,
        number=result.request.attempt,
        started_at=result.started_at,
    ).exists()
