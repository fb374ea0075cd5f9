"""The export of the audit trail, which is itself recorded in it."""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from notifications import permissions
from notifications.audit.audit_events import TRAIL_EXPORTED
from notifications.models import AuditEntry
from notifications.permissions import require
from notifications.ui.downloads import (
    Download,
    Piece,
    Values,
    csv_header,
    csv_lines,
    escaped,
    json_of,
    pieces,
)

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


def trail_file(entries: QuerySet[AuditEntry], file_format: str) -> Generator[Piece]:
    """The whole file; ``file_format`` is one of ``FORMATS``."""
    header, lines_of = FORMATS[file_format]
    return pieces(header, map(lines_of, pages(entries)))


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


def _csv(rows: list[Values]) -> list[str]:
    return csv_lines([*map(escaped, row[:-1]), json_of(row[-1])] for row in rows)


def _json_lines(rows: list[Values]) -> list[str]:
    return [json_of(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows]


# Header, and the lines of a page.
FORMATS: dict[str, tuple[str, Callable[[list[Values]], list[str]]]] = {
    "csv": (csv_header(COLUMNS), _csv),
    "jsonl": ("", _json_lines),
}


def download_trail(
    user: User,
    entries: QuerySet[AuditEntry],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """The entries as a file; ``filters`` is what the entry about this says of them.

    Raises ``PermissionDenied``.
    """
    require(user, permissions.SEE_TRAIL)
    require(user, permissions.EXPORT_HISTORY)
    return export_trail_as(
        user.get_username(), entries, file_format=file_format, filters=filters
    )


def export_trail_as(
    actor: str,
    entries: QuerySet[AuditEntry],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """As ``download_trail``, for who runs commands on the server and needs no role.

    What is written from now on, such as the entry about this, makes the file no longer.
    """
    newest = AuditEntry.objects.order_by("-id").values_list("pk", flat=True).first()
    return Download(
        TRAIL_EXPORTED,
        actor,
        trail_file(entries.filter(pk__lte=newest or 0), file_format),
        file_format=file_format,
        filters=filters,
    )


def file_name(file_format: str) -> str:
    return f"audit-trail-{timezone.localdate():%Y-%m-%d}.{file_format}"
