"""The history as lines: one per delivery, with its attempts."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from notifications.models import Attempt, Delivery, Notification

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
# What is read for them; plain values, since a model per row takes most of the time.
FIELDS = [
    "notification_id",
    "group_id",
    "group_name",
    "group_type",
    "recipients",
    "sender_name",
    "status",
    "reason",
    "error_code",
    "error_info",
    "created_at",
    "finished_at",
]
ATTEMPT_FIELDS = [
    "started_at",
    "finished_at",
    "http_status",
    "error_code",
    "error_info",
    "outcome",
]


def rows(deliveries: QuerySet[Delivery]) -> Iterator[dict[str, Any]]:
    """Plain values in order of id, read in pages: memory does not grow.

    ``recipients`` is a list of member IDs, empty for everyone in the group; times are
    ISO 8601 with their offset.
    """
    last = 0
    while True:
        following = deliveries.filter(pk__gt=last).order_by("pk")
        page = list(following.values("pk", *FIELDS)[:PAGE])
        if not page:
            return
        last = page[-1]["pk"]
        contents = _contents({row["notification_id"] for row in page})
        attempts = _attempts([row["pk"] for row in page])
        for row in page:
            yield _row(row, contents[row["notification_id"]], attempts[row["pk"]])


def lines(deliveries: QuerySet[Delivery], file_format: str) -> Iterator[str]:
    """The export as text, line by line; ``file_format`` is ``jsonl`` or ``csv``."""
    if file_format == "jsonl":
        for row in rows(deliveries):
            yield json.dumps(row, ensure_ascii=False) + "\n"
        return
    writer = csv.writer(_Line())
    yield "\ufeff" + str(writer.writerow(COLUMNS))
    for row in rows(deliveries):
        row["recipients"] = " ".join(row["recipients"])
        row["attempts"] = json.dumps(row["attempts"], ensure_ascii=False)
        yield str(writer.writerow([_cell(row[name]) for name in COLUMNS]))


def _row(
    row: dict[str, Any], content: str, attempts: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "notification": row["notification_id"],
        "group_id": row["group_id"],
        "group_name": row["group_name"],
        "group_type": row["group_type"],
        "recipients": row["recipients"].splitlines(),
        "content": content,
        "sender": row["sender_name"],
        "status": row["status"],
        "reason": row["reason"],
        "error_code": row["error_code"],
        "error_info": row["error_info"],
        "created_at": _time(row["created_at"]),
        "finished_at": _time(row["finished_at"]),
        "attempts": attempts,
    }


def _contents(notifications: set[int]) -> dict[int, str]:
    """Each text once, however many groups it went to."""
    found = Notification.objects.filter(pk__in=notifications)
    return dict(found.values_list("pk", "content"))


def _attempts(deliveries: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The calls for each delivery, in their order."""
    found: dict[int, list[dict[str, Any]]] = {pk: [] for pk in deliveries}
    rows = Attempt.objects.filter(delivery_id__in=deliveries).order_by("number")
    for row in rows.values("delivery_id", *ATTEMPT_FIELDS):
        row["started_at"] = _time(row["started_at"])
        row["finished_at"] = _time(row["finished_at"])
        found[row.pop("delivery_id")].append(row)
    return found


def _time(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).isoformat() if moment else None


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(FORMULA) else text


class _Line:
    """What a csv.writer writes to: it hands back each line."""

    def write(self, text: str) -> str:
        return text
