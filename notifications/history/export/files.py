"""The export of the history as CSV or JSON Lines, and the audited download of it."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from notifications import permissions
from notifications.history.audit_events import EXPORTED
from notifications.history.export.rows import ABOUT, COLUMNS, OWN, Page, pages
from notifications.history.search.facets import Live
from notifications.history.search.filters import DeliveryFilter
from notifications.permissions import require
from notifications.record.queries import head
from notifications.ui.downloads import (
    ESCAPED,
    Download,
    Piece,
    Values,
    csv_header,
    csv_lines,
    escaped,
    json_of,
    pieces,
)

RECIPIENTS = OWN.index("recipients")

# Of OWN: texts that people or Tencent wrote.
TEXTS = [
    OWN.index(name)
    for name in ("sender", "group_id", "group_name", "recipients", "error_info")
]


def history_file(
    wanted: DeliveryFilter, live: Sequence[Live], file_format: str
) -> Generator[Piece]:
    """The whole file; ``file_format`` is one of ``FORMATS``."""
    header, lines_of = FORMATS[file_format]
    return pieces(header, map(lines_of, pages(wanted, live)))


def _csv(page: Page) -> list[str]:
    about = {
        number: csv_lines([[escaped(value) for value in values]])[0].rstrip("\r\n")
        for number, values in page.about.items()
    }
    own = csv_lines(_own_cells(values) for _pk, _number, values in page.rows)
    return [
        f"{pk},{about[number]},{line}"
        for (pk, number, _values), line in zip(page.rows, own, strict=True)
    ]


def _own_cells(values: Values) -> list[Any]:
    cells = list(values)
    cells[RECIPIENTS] = " ".join(cells[RECIPIENTS])
    for place in TEXTS:
        if cells[place].startswith(ESCAPED):
            cells[place] = "'" + cells[place]
    return cells


def _json_lines(page: Page) -> list[str]:
    about = {
        number: json_of(dict(zip(ABOUT, values, strict=True)))[1:-1]
        for number, values in page.about.items()
    }
    names = OWN[:-1]
    return [
        f'{{"delivery": {pk}, {about[number]}, '
        f"{json_of(dict(zip(names, values, strict=False)))[1:-1]}, "
        f'"attempts": {values[-1]}}}\n'
        for pk, number, values in page.rows
    ]


# Header, and the lines of a page.
FORMATS: dict[str, tuple[str, Callable[[Page], list[str]]]] = {
    "csv": (csv_header(COLUMNS), _csv),
    "jsonl": ("", _json_lines),
}


def download(
    user: User,
    wanted: DeliveryFilter,
    live: Sequence[Live],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """The deliveries as a file; ``filters`` is what the audit entry says of them.

    Raises ``PermissionDenied``.
    """
    require(user, permissions.EXPORT_HISTORY)
    return export_as(
        user.get_username(), wanted, live, file_format=file_format, filters=filters
    )


def export_as(
    actor: str,
    wanted: DeliveryFilter,
    live: Sequence[Live],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """As ``download``, for who runs commands on the server and needs no role."""
    return Download(
        EXPORTED,
        actor,
        history_file(wanted, live, file_format),
        file_format=file_format,
        filters=filters,
    )


def file_name(file_format: str) -> str:
    """With the day, and the start of the head of the seals: a copy outside of the server.

    "none" where nothing is sealed yet.
    """
    mark = head()[:12] or "none"
    return f"history-{timezone.localdate():%Y-%m-%d}-{mark}.{file_format}"
