"""The history as lines: one per delivery, with its attempts."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from notifications.models import Attempt, Delivery

PAGE = 2000
# What a spreadsheet would take for a formula gets a ' before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = [
    "notification",
    "group_id",
    "group_name",
    "group_type",
    "recipients",
    "content",
    "sender",
    "status",
    "reason",
    "error_code",
    "error_info",
    "created_at",
    "finished_at",
    "attempts",
]


def rows(deliveries: QuerySet[Delivery]) -> Iterator[dict[str, Any]]:
    """Plain values in order of id, read in pages: memory does not grow.

    ``recipients`` is a list of member IDs, empty for everyone in the group; times are
    ISO 8601 with their offset.
    """
    last = 0
    attempts = Prefetch("attempts", Attempt.objects.order_by("number"))
    while True:
        page = list(
            deliveries.filter(pk__gt=last)
            .order_by("pk")
            .select_related("notification")
            .prefetch_related(attempts)[:PAGE]
        )
        if not page:
            return
        yield from map(_row, page)
        last = page[-1].pk


def lines(deliveries: QuerySet[Delivery], file_format: str) -> Iterator[str]:
    """The export as text, line by line; ``file_format`` is ``jsonl`` or ``csv``."""
    if file_format == "jsonl":
        for row in rows(deliveries):
            yield json.dumps(row, ensure_ascii=False) + "\n"
        return
    yield "\ufeff" + _csv_line(COLUMNS)
    for row in rows(deliveries):
        row["recipients"] = " ".join(row["recipients"])
        row["attempts"] = json.dumps(row["attempts"], ensure_ascii=False)
        yield _csv_line([_cell(row[name]) for name in COLUMNS])


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "notification": delivery.notification_id,
        "group_id": delivery.group_id,
        "group_name": delivery.group_name,
        "group_type": delivery.group_type,
        "recipients": delivery.recipient_ids or [],
        "content": delivery.notification.content,
        "sender": delivery.sender_name,
        "status": delivery.status,
        "reason": delivery.reason,
        "error_code": delivery.error_code,
        "error_info": delivery.error_info,
        "created_at": _time(delivery.created_at),
        "finished_at": _time(delivery.finished_at),
        "attempts": [
            {
                "started_at": _time(attempt.started_at),
                "finished_at": _time(attempt.finished_at),
                "http_status": attempt.http_status,
                "error_code": attempt.error_code,
                "error_info": attempt.error_info,
                "outcome": attempt.outcome,
            }
            for attempt in delivery.attempts.all()
        ],
    }


def _time(moment: Any) -> str | None:
    return timezone.localtime(moment).isoformat() if moment else None


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(FORMULA) else text


def _csv_line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
