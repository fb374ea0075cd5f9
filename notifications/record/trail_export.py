"""The rows of an export of the audit trail: one per entry, as it was written."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from notifications.models import AuditEntry

from .export_formats import Table, Values, json_of

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
AT, REQUEST = COLUMNS.index("at"), COLUMNS.index("request_number")
TABLE = Table(COLUMNS, ["actor", "actor_name", "address"], {"detail": json_of})


def pages(entries: QuerySet[AuditEntry]) -> Iterator[list[Values]]:
    """Values in the order of ``COLUMNS``, by id, at most ``PAGE`` rows at once.

    Times are ISO 8601 with their offset. Memory does not grow with the number of rows.
    """
    last = 0
    while True:
        following = entries.filter(pk__gt=last).order_by("pk")
        page = list(following.values_list(*FIELDS)[:PAGE])
        if not page:
            return
        yield [_values(row) for row in page]
        last = page[-1][0]


def _values(row: Values) -> Values:
    values: list[Any] = list(row)
    values[AT] = timezone.localtime(values[AT]).isoformat()
    values[REQUEST] = values[REQUEST] and str(values[REQUEST])
    return tuple(values)
