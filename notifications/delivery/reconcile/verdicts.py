"""Write the answers to queries, and when Tencent is queried next.

Few rows in each short transaction, which locks the deliveries and nothing else: no other
code changes an unconfirmed delivery, and no seal is written while a query is open.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from notifications.delivery.reconcile.history import (
    Finding,
    Verdict,
    as_json,
    is_altered,
)
from notifications.delivery.reconcile.questions import Kind, Question, open_queries
from notifications.models import Delivery, DeliveryQuery, Seal
from notifications.tencent.outcomes import Reason

logger = logging.getLogger(__name__)

# Queries without a verdict are repeated after a minute, then after twice the time.
FIRST_PAUSE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Answered:
    """A query that has ended."""

    question: Question
    finding: Finding
    finished_at: datetime
    error_code: int | None = None


def write(answers: Sequence[Answered], worker_id: int, now: datetime) -> None:
    """Write answers in one transaction.

    A row that the database refuses prevents no other: its query is closed.
    """
    try:
        with transaction.atomic():
            _write(answers, worker_id, now)
    except (DataError, IntegrityError):
        if len(answers) > 1:
            for answer in answers:
                write([answer], worker_id, now)
        else:
            question = answers[0].question
            logger.exception(
                "The answer about this delivery cannot be written.",
                extra=question.log_fields,
            )
            close([question.delivery_id])


def close(ids: Iterable[int]) -> None:
    """End the queries about these deliveries, which stay unconfirmed."""
    rows = open_queries().filter(pk__in=list(ids))
    rows.update(next_query_at=None, query_asked_by="")


def postpone(ids: Iterable[int], until: datetime) -> None:
    open_queries().filter(pk__in=list(ids)).update(next_query_at=until)


def _write(answers: Sequence[Answered], worker_id: int, now: datetime) -> None:
    ids = [answer.question.delivery_id for answer in answers]
    locked = open_queries().filter(pk__in=ids, status=Delivery.Status.UNCONFIRMED)
    rows = {row.pk: row for row in locked.order_by("pk").select_for_update()}
    # A worker of the release before does not know that a query is open.
    sealed = set(
        Seal.objects.filter(
            notification__in={row.notification_id for row in rows.values()}
        ).values_list("notification", flat=True)
    )
    earlier: dict[int, list[DeliveryQuery]] = defaultdict(list)
    for query in (
        DeliveryQuery.objects.filter(delivery__in=list(rows))
        .defer("request", "response")
        .order_by("number")
    ):
        earlier[query.delivery_id].append(query)
    queries = []
    for answer in answers:
        question = answer.question
        row = rows.get(question.delivery_id)
        if row is None or row.notification_id in sealed:
            logger.info(
                "An answer came after the end of the queries.",
                extra=question.log_fields,
            )
            close([question.delivery_id])
            continue
        former = earlier[row.pk]
        is_present = answer.finding.verdict is Verdict.PRESENT
        if question.number != len(former) + 1 and not is_present:
            logger.info(
                "Another worker has written an answer.", extra=question.log_fields
            )
            continue
        query = _query(answer, len(former) + 1, worker_id)
        queries.append(query)
        changes = changes_after(row, former, query, answer.finding.reason, now)
        _update(row, answer, changes)
    DeliveryQuery.objects.bulk_create(queries)


def _query(answer: Answered, number: int, worker_id: int) -> DeliveryQuery:
    question, finding = answer.question, answer.finding
    started_at = question.started_at or answer.finished_at
    return DeliveryQuery(
        delivery_id=question.delivery_id,
        number=number,
        kind=question.kind,
        worker=worker_id,
        asked_by=question.asked_by,
        started_at=started_at,
        finished_at=max(started_at, answer.finished_at),
        request=as_json(question.requests),
        response=as_json(question.answers),
        verdict=finding.verdict,
        error_code=answer.error_code,
        detail=finding.detail,
    )


def _update(row: Delivery, answer: Answered, changes: dict[str, object]) -> None:
    question, message = answer.question, answer.finding.message
    if message is not None:
        sent = question.call.payload().get("MsgBody")
        changes |= {
            "msg_seq": message.msg_seq,
            "msg_time": message.msg_time,
            "is_altered": is_altered(sent if isinstance(sent, list) else [], message),
        }
    planned = (question.planned_at, question.asked_by)
    is_settled = "status" in changes
    if not is_settled and (row.next_query_at, row.query_asked_by) != planned:
        return  # a person asks meanwhile: that query follows
    Delivery.objects.filter(pk=row.pk).update(query_asked_by="", **changes)


def changes_after(
    row: Delivery,
    earlier: Sequence[DeliveryQuery],
    query: DeliveryQuery,
    reason: Reason | None,
    now: datetime,
) -> dict[str, object]:
    """The changes of a delivery by an answer; ``earlier`` are the former ones in order.

    ``reason``: that of the delivery if this answer settles it.
    """
    if reason is not None:
        is_present = query.verdict == Verdict.PRESENT
        return _settled(
            Delivery.Status.ACCEPTED if is_present else Delivery.Status.FAILED, reason
        )
    if query.kind == Kind.REPEAT:
        return {"next_query_at": None}
    if query.verdict == Verdict.ABSENT:
        again_after = timedelta(seconds=settings.IM_QUERY_AGAIN_AFTER_SECONDS)
        first = _first_absent(earlier)
        if first is None:
            next_at = now + again_after
        elif query.started_at - first.finished_at >= again_after:
            asks_state = query.kind == Kind.STATE
            return _settled(
                Delivery.Status.FAILED,
                Reason.STILL_THERE if asks_state else Reason.NOT_IN_HISTORY,
            )
        else:
            next_at = max(now, first.finished_at + again_after)
    else:
        next_at = now + _pause(earlier)
    ended_at = row.finished_at or now
    last = ended_at + timedelta(hours=settings.IM_QUERY_GIVE_UP_HOURS)
    return {"next_query_at": next_at if next_at <= last else None}


def _settled(status: Delivery.Status, reason: Reason) -> dict[str, object]:
    # What Tencent answered to an earlier attempt is in the attempt.
    return {
        "status": status,
        "reason": reason.value,
        "error_code": None,
        "error_info": "",
        "drop_reason": "",
        "next_query_at": None,
    }


def _first_absent(earlier: Sequence[DeliveryQuery]) -> DeliveryQuery | None:
    """The first of the newest answers that did not have the message."""
    first = None
    for query in reversed(earlier):
        if query.verdict != Verdict.ABSENT:
            break
        first = query
    return first


def _pause(earlier: Sequence[DeliveryQuery]) -> timedelta:
    """The pause after the answers of which none was clear; ``earlier`` without the last."""
    count = 0
    for query in reversed(earlier):
        if query.verdict == Verdict.ABSENT:
            break
        count += 1
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(count, 10))
