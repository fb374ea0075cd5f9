"""Results of deliveries that recovery gave up meanwhile: they become audit entries."""

import logging
from typing import Any

from notifications import audit_log
from notifications.delivery.audit_events import LATE_ANSWER
from notifications.delivery.claim import Claim
from notifications.delivery.http_workers import Result
from notifications.models import Attempt
from notifications.tencent.outcomes import Outcome

logger = logging.getLogger(__name__)


def write_late(worker_id: int, result: Result[Claim], outcome: Outcome) -> None:
    """Write the audit entry, unless an earlier commit has written the result."""
    if _is_written(result):
        return
    answer = result.request.channel.classify(outcome, result.data)
    outcome = answer.outcome
    of_message: dict[str, Any] = {}
    if answer.msg_seq is not None:
        of_message = {"msg_seq": answer.msg_seq, "drop_reason": answer.drop_reason}
    logger.warning(
        "A response arrived after recovery gave up the delivery: %s.",
        outcome.kind.value,
        extra=result.request.log_fields,
    )
    audit_log.write(
        LATE_ANSWER,
        f"worker {worker_id}",
        notification=result.request.notification_id,
        delivery=result.request.delivery_id,
        attempt=result.request.attempt,
        channel=result.request.channel.word.value,
        outcome=outcome.kind.value,
        reason=outcome.reason or "",
        http_status=outcome.http_status,
        error_code=outcome.error_code,
        error_info=outcome.error_info,
        **of_message,
    )


def _is_written(result: Result[Claim]) -> bool:
    """Return whether an earlier commit, whose response was lost, wrote this result."""
    return Attempt.objects.filter(
        delivery=result.request.delivery_id,
        number=result.request.attempt,
        started_at=result.started_at,
    ).exists()
