"""What went over the wire for a delivery, as far as the record holds it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from notifications.im.client import PATH
from notifications.im.outcomes import OutcomeKind
from notifications.models import Attempt, AuditEntry, Delivery

from .explanations import Explanation, explain_code, explain_reason


@dataclass(frozen=True, slots=True)
class Call:
    """An attempt, and the answer as JSON; an empty ``answer`` means that none came."""

    attempt: Attempt
    explanation: Explanation | None
    answer: str


@dataclass(frozen=True, slots=True)
class LateAnswer:
    at: datetime
    sentence: str
    error_info: str


def request_line() -> str:
    """Method and path; the query is left out, since it holds the UserSig."""
    return f"POST {PATH}"


def request_body(delivery: Delivery) -> str:
    """The request as the client builds it."""
    body: dict[str, object] = {
        "GroupId": delivery.group_id,
        "Content": delivery.notification.content,
    }
    if delivery.recipient_ids is not None:
        body["ToMembers_Account"] = delivery.recipient_ids
    return _json(body)


def calls(delivery: Delivery) -> list[Call]:
    """The attempts in their order."""
    return [
        Call(attempt, _explain(attempt.error_code, attempt.reason), _answer(attempt))
        for attempt in delivery.attempts.order_by("number")
    ]


def late_answers(delivery: Delivery) -> Sequence[LateAnswer]:
    """Answers that came after the delivery had been given up, oldest first."""
    entries = AuditEntry.objects.filter(
        notification_number=delivery.notification_id,
        delivery_number=delivery.pk,
        action=AuditEntry.Action.LATE_ANSWER,
    ).order_by("id")
    return [
        LateAnswer(entry.at, _late(entry.detail), entry.detail.get("error_info", ""))
        for entry in entries
    ]


def resolutions(delivery: Delivery) -> QuerySet[AuditEntry]:
    """What people found out about a delivery that is not confirmed, oldest first."""
    return AuditEntry.objects.filter(
        notification_number=delivery.notification_id,
        delivery_number=delivery.pk,
        action=AuditEntry.Action.RESOLVED,
    ).order_by("id")


def _late(detail: dict[str, object]) -> str:
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
