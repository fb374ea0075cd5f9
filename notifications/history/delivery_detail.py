"""Data of the page of a delivery: calls, late answers, related deliveries."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from notifications.delivery.audit_events import LATE_ANSWER, RESOLVED
from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reason,
)
from notifications.models import Attempt, AuditEntry, Delivery, Seal
from notifications.record.queries import seal_of
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.outcomes import OutcomeKind


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """An attempt, and its answer as JSON; empty if no answer came."""

    attempt: Attempt
    explanation: Explanation | None
    answer: str


@dataclass(frozen=True, slots=True)
class LateAnswer:
    at: datetime
    sentence: str
    error_info: str


def request_line() -> str:
    """Method and path, without the query, which holds the UserSig."""
    return f"POST {SendGroupSystemNotification.path()}"


def request_body(delivery: Delivery) -> str:
    """The body of the request, built by the same class as for the call."""
    call = SendGroupSystemNotification(
        delivery.group_id,
        delivery.group_type,
        delivery.notification.content,
        delivery.recipient_ids,
    )
    return _json(call.payload())


def calls(delivery: Delivery) -> list[RecordedCall]:
    """The attempts, ordered by number."""
    return [
        RecordedCall(
            attempt, _explain(attempt.error_code, attempt.reason), _answer(attempt)
        )
        for attempt in delivery.attempts.order_by("number")
    ]


def late_answers(delivery: Delivery) -> Sequence[LateAnswer]:
    """Answers that came after the delivery had been given up, oldest first."""
    entries = AuditEntry.objects.filter(
        notification_number=delivery.notification_id,
        delivery_number=delivery.pk,
        action=LATE_ANSWER.word,
    ).order_by("id")
    return [
        LateAnswer(
            entry.at, _late_sentence(entry.detail), entry.detail.get("error_info", "")
        )
        for entry in entries
    ]


def resolutions(delivery: Delivery) -> QuerySet[AuditEntry]:
    """Audit entries of notes on an unconfirmed delivery, oldest first."""
    return AuditEntry.objects.filter(
        notification_number=delivery.notification_id,
        delivery_number=delivery.pk,
        action=RESOLVED.word,
    ).order_by("id")


def _late_sentence(detail: dict[str, object]) -> str:
    code, reason = detail.get("error_code"), detail.get("reason")
    if detail.get("outcome") == OutcomeKind.ACCEPTED:
        return _(
            "An answer came after the delivery was given up: Tencent accepted the "
            "notification."
        )
    if isinstance(code, int):
        why = explain_code(code)
        return _(
            "An answer came after the delivery was given up: %(meaning)s (%(code)s)"
        ) % {"meaning": why.meaning, "code": why.mark}
    why = explain_reason(str(reason))
    return _("The call ended after the delivery was given up: %(meaning)s") % {
        "meaning": why.meaning
    }


def _explain(code: int | None, reason: str) -> Explanation | None:
    if reason:
        return explain_reason(reason)
    return explain_code(code) if code else None


def _answer(attempt: Attempt) -> str:
    if attempt.error_code is None:
        return ""
    return _json(
        {
            "ActionStatus": attempt.action_status,
            "ErrorCode": attempt.error_code,
            "ErrorInfo": attempt.error_info,
        }
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True)
class RelatedDeliveries:
    """This delivery resends ``earlier``; ``later`` resend this delivery.

    ``other_portions`` went to other members of the group in the same notification.
    """

    seal: Seal | None
    other_portions: Sequence[Delivery]
    earlier: Sequence[Delivery]
    later: Sequence[Delivery]


def related_deliveries(delivery: Delivery) -> RelatedDeliveries:
    """Three queries; one more if the delivery has several portions."""
    of_group = delivery.notification.deliveries.filter(group_id=delivery.group_id)
    same = Delivery.objects.history().filter(
        group_id=delivery.group_id, portion=delivery.portion
    )
    first = delivery.notification.resend_of_id
    again = delivery.notification.resends.values_list("pk", flat=True)
    return RelatedDeliveries(
        seal=seal_of(delivery.notification_id),
        other_portions=list(of_group.exclude(pk=delivery.pk).order_by("portion"))
        if delivery.portion_count > 1
        else [],
        earlier=list(same.filter(notification_id=first)) if first else [],
        later=list(same.filter(notification_id__in=list(again)).order_by("pk")),
    )
