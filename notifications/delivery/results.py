"""Write the results of calls, inside the worker's transaction.

Every UPDATE is limited to rows that are still sending and owned by this worker. A result
for a row that recovery gave up meanwhile does not change the row: it becomes an audit
entry.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F

from notifications import audit_log, statements
from notifications.db.prepared import moment
from notifications.delivery.audit_events import PAUSED
from notifications.delivery.channels import base
from notifications.delivery.claim import Claim
from notifications.delivery.http_workers import Result
from notifications.delivery.late_results import write_late
from notifications.delivery.retry import (
    DOUBT_LIMIT,
    Decision,
    RetryDecision,
    decide,
    too_many_failures,
)
from notifications.models import Delivery, Notification
from notifications.models.deliveries import DeliveryQuerySet
from notifications.tencent.outcomes import OutcomeKind, Reason

logger = logging.getLogger(__name__)


class ResultWriter:
    """Writes the results of one tick. ``jitter`` returns random numbers from 0 to 1.

    ``slow_down`` has the channels of which a result requires to slow down the calls of
    all workers.
    """

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
        self.slow_down: set[str] = set()
        # Collected over the tick, to write each kind with one UPDATE.
        self.accepted: dict[int, base.Result] = {}  # by the id of the delivery
        self.not_called: list[int] = []
        # Values of ``statements.ATTEMPT``.
        self.attempts: list[tuple[object, ...]] = []
        self.with_failures: set[int] = set()  # ids of notifications

    def write(self, results: Sequence[Result[Claim]]) -> None:
        # In the order of docs/internals.md, "Order of locks".
        numbers = sorted({result.request.notification_id for result in results})
        locked = statements.lock_notifications(numbers)
        # Other columns, which only a failure needs, are read when they are used.
        names = ["id", "channel", "status", "doubt_streak"]
        notifications = {
            row[0]: Notification.from_db(None, names, row) for row in locked
        }
        ids = [result.request.delivery_id for result in results]
        owned_ids = statements.lock_owned(ids, self.worker_id)
        by_notification = defaultdict(list)
        for result in sorted(results, key=lambda r: r.finished_at):
            if result.request.delivery_id in owned_ids:
                by_notification[result.request.notification_id].append(result)
            elif result.outcome is not None:
                write_late(self.worker_id, result, result.outcome)
        for pk, own_results in by_notification.items():
            self._process_notification(notifications[pk], own_results)
        self._write_accepted()
        self._write_not_called()
        if self.attempts:
            statements.insert_attempts(self.attempts)
        for pk in self.with_failures:
            if too_many_failures(notifications[pk]):
                self._pause(notifications[pk], Notification.PauseReason.FAILURES)
        for notification in notifications.values():
            # Deliveries that were queued again are cancelled with their notification.
            if notification.status == Notification.Status.CANCELLED:
                notification.deliveries.cancel_waiting(self.now)

    def _owned_rows(self) -> DeliveryQuerySet:
        return Delivery.objects.filter(
            status=Delivery.Status.SENDING, owner=self.worker_id
        )

    def _process_notification(
        self, notification: Notification, results: Iterable[Result[Claim]]
    ) -> None:
        streak = notification.doubt_streak
        for result in results:
            if result.outcome is None:
                self.not_called.append(result.request.delivery_id)
                continue
            claim = result.request
            answer = claim.channel.classify(result.outcome, result.data)
            self._add_attempt(result, answer)
            decision = decide(
                answer.outcome,
                claim.history,
                claim.channel,
                jitter=self.jitter.random(),
                retry_internal_error=self.retry_internal_error,
            )
            if decision.slow_down:
                self.slow_down.add(claim.channel.word)
            is_doubtful = (
                answer.outcome.kind is OutcomeKind.NOT_SENT
                or decision.step is Decision.LEAVE_UNCONFIRMED
            )
            if answer.needs_query and _can_be_queried(claim):
                is_doubtful = False
                decision = RetryDecision(
                    Decision.LEAVE_UNCONFIRMED, reason=Reason.UNCERTAIN_CODE
                )
            streak = streak + 1 if is_doubtful else 0
            self._apply(notification, result, answer, decision)
            if streak >= DOUBT_LIMIT:
                self._pause(notification, Notification.PauseReason.DOUBT)
        if streak != notification.doubt_streak:
            Notification.objects.filter(pk=notification.pk).update(doubt_streak=streak)

    def _apply(
        self,
        notification: Notification,
        result: Result[Claim],
        answer: base.Result,
        decision: RetryDecision,
    ) -> None:
        claim, outcome = result.request, answer.outcome
        changes: dict[str, object] = {"reason": decision.reason or ""}
        if outcome.error_code is not None:
            changes |= {
                "error_code": outcome.error_code,
                "error_info": outcome.error_info,
                "drop_reason": answer.drop_reason,
            }
        match decision.step:
            case Decision.ACCEPT:
                self.accepted[claim.delivery_id] = answer
            case Decision.LEAVE_UNCONFIRMED:
                next_query_at = claim.channel.first_query_at(
                    claim.message, claim.target, ended_at=result.finished_at
                )
                if answer.needs_query:
                    next_query_at = result.finished_at  # Tencent has ended the call
                self._end(
                    claim,
                    Delivery.Status.UNCONFIRMED,
                    next_query_at=next_query_at,
                    **changes,
                )
            case Decision.FAIL:
                self._end(claim, Delivery.Status.FAILED, **changes)
                self.with_failures.add(notification.pk)
            case Decision.FAIL_AND_PAUSE:
                self._end(claim, Delivery.Status.FAILED, **changes)
                self._pause(
                    notification,
                    Notification.PauseReason.TEXT_CODE,
                    outcome.error_code,
                )
            case Decision.RETRY | Decision.REQUEUE_AND_PAUSE:
                if outcome.kind is OutcomeKind.NOT_SENT:
                    reason = Notification.PauseReason.NOT_SENT
                    streak = claim.history.not_sent_streak + 1
                    changes = {"not_sent_streak": streak}
                else:
                    reason = Notification.PauseReason.ACCOUNT_CODE
                    rejections = claim.history.rejections + (decision.delay > 0)
                    changes |= {"not_sent_streak": 0, "rejection_count": rejections}
                self._update(
                    claim,
                    status=Delivery.Status.QUEUED,
                    not_before=self.now + timedelta(seconds=decision.delay),
                    **changes,
                )
                if decision.step is Decision.REQUEUE_AND_PAUSE:
                    self._pause(notification, reason, outcome.error_code)

    def _end(self, claim: Claim, status: str, **changes: object) -> None:
        self._update(claim, status=status, finished_at=self.now, **changes)

    def _update(self, claim: Claim, **changes: object) -> None:
        self._owned_rows().filter(pk=claim.delivery_id).update(owner=None, **changes)

    def _write_not_called(self) -> None:
        if self.not_called:
            self._owned_rows().filter(pk__in=self.not_called).update(
                status=Delivery.Status.QUEUED,
                owner=None,
                attempt_count=F("attempt_count") - 1,
            )

    def _write_accepted(self) -> None:
        if not self.accepted:
            return
        statements.accept(
            [
                (pk, answer.msg_seq, answer.msg_time)
                for pk, answer in self.accepted.items()
            ],
            self.worker_id,
            self.now,
        )

    def _add_attempt(self, result: Result[Claim], answer: base.Result) -> None:
        outcome = answer.outcome
        logger.debug(
            "Attempt %d: %s.",
            result.request.attempt,
            outcome.kind.value,
            extra=result.request.log_fields,
        )
        self.attempts.append(
            (
                result.request.delivery_id,
                result.request.attempt,
                self.worker_id,
                moment(result.started_at),
                moment(result.finished_at),
                outcome.kind.value,
                str(outcome.reason or ""),
                outcome.detail,
                outcome.http_status,
                outcome.action_status,
                outcome.error_code,
                outcome.error_info,
                answer.msg_seq,
                answer.msg_time,
                answer.drop_reason,
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
        cause = reason.value if code is None else f"{reason.value}, ErrorCode {code}"
        logger.warning("Paused: %s.", cause, extra={"notification": notification.pk})
        audit_log.write(
            PAUSED,
            f"worker {self.worker_id}",
            notification=notification.pk,
            reason=reason.value,
            channel=notification.channel,
            code=code,
        )


def _can_be_queried(claim: Claim) -> bool:
    return claim.channel.query_kind(claim.message, claim.target) is not None
