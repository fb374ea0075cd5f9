"""The audit trail as lines: one per entry, as it was written."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from notifications.models import AuditEntry

from .export_formats import ESCAPED

PAGE = 2000
COLUMNS = [
    "id",
    "at",
    "action",
    "actor",
    "actor_name",
    "by_superuser",
    "address",
    "request_number",
    "notification",
    "delivery",
    "detail",
]
FIELDS = [*COLUMNS[:-3], "notification_number", "delivery_number", "detail"]


def rows(entries: QuerySet[AuditEntry]) -> Iterator[dict[str, Any]]:
    """Plain values in order of id, read in pages: memory does not grow."""
    last = 0
    while True:
        following = entries.filter(pk__gt=last).order_by("pk")
        page = list(following.values_list(*FIELDS)[:PAGE])
        if not page:
            return
        last = page[-1][0]
        for values in page:
            row = dict(zip(COLUMNS, values, strict=True))
            row["at"] = timezone.localtime(row["at"]).isoformat()
            number = row["request_number"]
            row["request_number"] = str(number) if number else None
            yield row


def lines(entries: QuerySet[AuditEntry], file_format: str) -> Iterator[str]:
    """The export as text, line by line; ``file_format`` is ``jsonl`` or ``csv``."""
    if file_format == "jsonl":
        for row in rows(entries):
            yield _json(row) + "\n"
        return
    writer = csv.writer(_Line())
    yield "\ufeff" + str(writer.writerow(COLUMNS))
    for row in rows(entries):
        row["detail"] = _json(row["detail"])
        yield str(writer.writerow([_cell(row[name]) for name in COLUMNS]))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> str:
    """As in the CSV of the history: what begins like a formula gets a ' before it."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(ESCAPED) else text


class _Line:
    """What a csv.writer writes to: it hands back each line."""

    def write(self, text: str) -> str:
        return text
