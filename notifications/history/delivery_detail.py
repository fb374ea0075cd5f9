"""Data of the page of a delivery: calls, queries, late answers, related deliveries."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from notifications.delivery.audit_events import LATE_ANSWER, RESOLVED
from notifications.delivery.channels import CHANNELS
from notifications.delivery.channels.base import Message, Target
from notifications.delivery.explanations import (
    Explanation,
    explain_code,
    explain_reading,
    explain_reason,
)
from notifications.history.amendments import Fate, fates_of
from notifications.models import Attempt, AuditEntry, Delivery, DeliveryQuery, Seal
from notifications.record.queries import seal_of
from notifications.tencent.outcomes import OutcomeKind, Reason


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


@dataclass(frozen=True, slots=True)
class RecordedQuery:
    """A query about an unconfirmed delivery; ``request`` and ``answer`` as JSON."""

    query: DeliveryQuery
    explanation: Explanation | None
    request: str
    answer: str


def request_line(delivery: Delivery) -> str:
    """Method and path, without the query, which holds the UserSig."""
    return f"POST {CHANNELS[delivery.channel].sending_call.path()}"


def request_body(delivery: Delivery) -> str:
    """The body of the request, built by the same class as for the call.

    Empty before the first attempt draws the number of a message, or copies the name of
    the message that it changes.
    """
    channel, target = CHANNELS[delivery.channel], Target.of(delivery)
    if channel.draws_random and target.random is None:
        return ""
    if channel.is_amendment and target.msg_seq is None:
        return ""
    return _json(channel.call(Message.of(delivery.notification), target).payload())


def queries(delivery: Delivery) -> list[RecordedQuery]:
    """The queries, ordered by number."""
    return [
        RecordedQuery(
            query,
            None if query.error_code is None else explain_reading(query.error_code, ""),
            _indented(query.request),
            _indented(query.response),
        )
        for query in delivery.queries.order_by("number")
    ]


def text_in_history(delivery: Delivery) -> str:
    """The text of the message in Tencent's history; empty if it was not found there."""
    queries = delivery.queries.filter(verdict=DeliveryQuery.Verdict.PRESENT)
    newest = queries.order_by("-number").first()
    if newest is None:
        return ""
    for page in json.loads(newest.response or "[]"):
        for row in page.get("RspMsgList", []):
            if row.get("MsgSeq") == delivery.msg_seq:
                elements = row.get("MsgBody") or []
                return "\n".join(filter(None, map(_text, elements)))
    return ""


def _text(element: object) -> str:
    """The text of an element of Tencent's answer; empty for one of another kind."""
    if not isinstance(element, dict) or element.get("MsgType") != "TIMTextElem":
        return ""
    content = element.get("MsgContent")
    text = content.get("Text") if isinstance(content, dict) else None
    return text if isinstance(text, str) else ""


def calls(delivery: Delivery) -> list[RecordedCall]:
    """The attempts, ordered by number."""
    return [
        RecordedCall(attempt, _explain(attempt, delivery.channel), _answer(attempt))
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
            entry.at,
            _late_sentence(entry.detail, delivery.channel),
            entry.detail.get("error_info", ""),
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


def _late_sentence(detail: dict[str, object], channel: str) -> str:
    code, reason = detail.get("error_code"), detail.get("reason")
    if detail.get("outcome") == OutcomeKind.ACCEPTED:
        if CHANNELS[channel].is_amendment:
            return _("An answer came after the delivery was given up: %(meaning)s") % {
                "meaning": CHANNELS[channel].accepted
            }
        return _(
            "An answer came after the delivery was given up: Tencent accepted the "
            "notification."
        )
    if isinstance(code, int):
        why = explain_code(code, channel)
        return _(
            "An answer came after the delivery was given up: %(meaning)s (%(code)s)"
        ) % {"meaning": why.meaning, "code": why.mark}
    why = explain_reason(str(reason), channel)
    return _("The call ended after the delivery was given up: %(meaning)s") % {
        "meaning": why.meaning
    }


def _explain(attempt: Attempt, channel: str) -> Explanation | None:
    if attempt.reason:
        return explain_reason(attempt.reason, channel)
    if attempt.drop_reason:
        return explain_reason(Reason.DROPPED, channel)
    return explain_code(attempt.error_code, channel) if attempt.error_code else None


def _answer(attempt: Attempt) -> str:
    if attempt.error_code is None:
        return ""
    message = {
        "MsgSeq": attempt.msg_seq,
        "MsgTime": attempt.msg_time,
        "MsgDropReason": attempt.drop_reason or None,
    }
    return _json(
        {
            "ActionStatus": attempt.action_status,
            "ErrorCode": attempt.error_code,
            "ErrorInfo": attempt.error_info,
            **{name: value for name, value in message.items() if value is not None},
        }
    )


def _indented(text: str) -> str:
    """JSON as it was stored, with line ends."""
    return _json(json.loads(text)) if text else ""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True)
class RelatedDeliveries:
    """This delivery resends ``earlier``; ``later`` resend this delivery.

    ``other_portions`` went to other members of the group in the same notification.
    ``amended`` sent the message that this one takes back or corrects; ``fates`` is what
    became of the message of this one.
    """

    seal: Seal | None
    other_portions: Sequence[Delivery]
    earlier: Sequence[Delivery]
    later: Sequence[Delivery]
    amended: Delivery | None
    fates: Sequence[Fate]


def related_deliveries(delivery: Delivery) -> RelatedDeliveries:
    """Four queries; one more each for several portions and for the amended delivery."""
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
        amended=Delivery.objects.filter(pk=delivery.amended_delivery).first()
        if delivery.amended_delivery
        else None,
        fates=fates_of([delivery]).get(delivery.pk, []),
    )
