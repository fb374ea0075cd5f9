"""Downloads: CSV and JSON Lines, recorded in the audit trail, streamed.

CSV: UTF-8 with a byte order mark, which Excel needs. Text that a spreadsheet would run
as a formula, for example a group ID that begins with @, is prefixed with ', and so is
text that begins with '. Removing the first ' restores the text. JSON Lines: every text
is verbatim.
"""

import csv
import hashlib
import io
import json
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import F, Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.db.snapshot import snapshot
from notifications.ui.audit_events import EXPORT_ENDED
from notifications.ui.filters import FilterForm

# Rows that one query reads.
PAGE_ROWS = 2000

# Rows in one piece of the stream; they are held in memory as text.
PIECE_ROWS = 500

# Seconds from the first byte of a download to the last. Its snapshot prevents the vacuum
# on PostgreSQL, and the log of SQLite grows meanwhile.
MAX_SECONDS = 3600

# Spreadsheets in East Asian languages read the full-width forms like the others.
ESCAPED = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")


Values = Sequence[Any]

Piece = tuple[bytes, int]  # and its number of rows

Row = TypeVar("Row", bound=Model)


# json.dumps would create an encoder for each row.
json_of = json.JSONEncoder(ensure_ascii=False).encode


def local_time(moment: datetime | None) -> str | None:
    """ISO 8601 in the current time zone, with its offset."""
    return timezone.localtime(moment).isoformat() if moment else None


class Column(NamedTuple):
    """A column of an export.

    ``value`` converts the value of the field to JSON, ``cell`` converts the result to a
    CSV cell. Without them the value is not converted; text in CSV is escaped, ``None``
    becomes an empty cell.
    """

    name: str  # header in CSV, key in JSON
    field: str | Combinable | None = None  # for ``values_list``; None: added later
    value: Callable[[Any], Any] | None = None
    cell: Callable[[Any], str] | None = None


def fields_of(columns: Iterable[Column]) -> list[str | Combinable]:
    return [column.field for column in columns if column.field is not None]


def pages_by_id(
    rows: QuerySet[Row],
    fields: Iterable[str | Combinable],
    *,
    size: int = PAGE_ROWS,
    order: Combinable = F("pk"),  # noqa: B008  never changed
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield pages of the values of ``fields``, the first of which is "pk", by id.

    A page has at most ``size`` rows: memory does not grow with the number of rows.
    ``order`` is the id as an expression.
    """
    following = rows.alias(place=order).order_by("place").values_list(*fields)
    last = 0
    while page := list(following.filter(place__gt=last)[:size]):
        yield page
        if len(page) < size:
            return
        last = page[-1][0]


def json_objects(
    columns: Sequence[Column], rows: Iterable[Values]
) -> list[dict[str, Any]]:
    """Map the names of the columns to JSON values, for each row."""
    names = [column.name for column in columns]
    conversions = [(c.name, c.value) for c in columns if c.value]
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    for values in objects:
        for name, convert in conversions:
            values[name] = convert(values[name])
    return objects


def _json_lines(columns: Sequence[Column], rows: Iterable[Values]) -> str:
    return "".join(f"{json_of(values)}\n" for values in json_objects(columns, rows))


def _csv_lines(columns: Sequence[Column], rows: Iterable[Values]) -> str:
    conversions = [(c.name, c.cell) for c in columns if c.cell]
    objects = json_objects(columns, rows)
    for values in objects:
        for name, convert in conversions:
            values[name] = convert(values[name])
    return _csv(values.values() for values in objects)


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO(newline="")
    # No function: a call for each cell would take a fifth of the time.
    csv.writer(text).writerows(
        [
            "'" + cell if type(cell) is str and cell.startswith(ESCAPED) else cell
            for cell in row
        ]
        for row in rows
    )
    return text.getvalue()


def export_pieces(
    columns: Sequence[Column],
    pages: Iterable[Sequence[Values]],
    file_format: str,
    *,
    size: int = PIECE_ROWS,
) -> Generator[Piece]:
    """The header of the file, then its rows, at most ``size`` in a piece."""
    if file_format == "csv":
        header = _csv([[column.name for column in columns]])
        yield f"\ufeff{header}".encode(), 0
    lines = _csv_lines if file_format == "csv" else _json_lines
    for page in pages:
        for start in range(0, len(page), size):
            rows = page[start : start + size]
            yield lines(columns, rows).encode(), len(rows)


CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
    "zip": "application/zip",
}


class DownloadTooSlow(Exception):
    """The client did not read the file within ``MAX_SECONDS``."""


def _from_one_snapshot(pieces: Generator[Piece]) -> Generator[Piece]:
    last = time.monotonic() + MAX_SECONDS
    with snapshot(), closing(pieces):
        for piece in pieces:
            yield piece
            if time.monotonic() > last:
                raise DownloadTooSlow


class AuditedDownload:
    """An iterator over the bytes of a file, recorded in the audit trail.

    ``actor`` is a user, who needs ``required`` permissions, or a command, which needs
    none. Raises ``PermissionDenied``.

    All pieces are read from one snapshot. An error ends the iteration, so that the server
    closes the connection, and the client reports an incomplete file.

    The first audit entry is written on creation, before the first piece is read; the
    last, at the end of the file, has its digest. ``close`` ends an incomplete download;
    the last entry then has ``completed`` false.
    """

    def __init__(
        self,
        event: audit_log.Event,
        actor: User | str,
        required: Sequence[str],
        pieces: Generator[Piece],
        *,
        name: str,
        file_format: str,
        **detail: Any,
    ) -> None:
        self.name = f"{name}.{file_format}"
        self.content_type = CONTENT_TYPES[file_format]
        self._actor = permissions.actor_name(actor, *required)
        audit_log.write(event, self._actor, format=file_format, **detail)
        self._pieces = _from_one_snapshot(pieces)
        # The request ends before the last piece is sent.
        self._origin = audit_log.current_origin()
        self._digest = hashlib.sha256()
        self._rows = 0
        self._has_ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece, rows = next(self._pieces)
        except StopIteration:
            self._end(completed=True)
            raise
        self._digest.update(piece)
        self._rows += rows
        return piece

    def close(self) -> None:
        self._pieces.close()  # ends its queries now, not at garbage collection
        self._end(completed=False)

    def _end(self, *, completed: bool) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        with audit_log.origin(self._origin):
            audit_log.write(
                EXPORT_ENDED,
                self._actor,
                rows=self._rows,
                sha256=self._digest.hexdigest(),
                completed=completed,
            )


# Limits: 4094 characters for a line in gunicorn, 16384 for a redirect in Django.
MAX_URL_LENGTH = 3000


def as_file(
    pieces: Iterable[bytes], name: str, content_type: str
) -> StreamingHttpResponse:
    """Stream ``pieces`` as an attachment; they are closed if the client disconnects."""
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def reject_download(
    request: HttpRequest, form: FilterForm, list_name: str
) -> HttpResponseRedirect:
    """Redirect to the list ``list_name``, which shows the errors of its filters.

    A file without the invalid filters would hold more rows than requested.
    """
    messages.error(request, _("Nothing was downloaded: correct the filters first."))
    parameters = {
        name: value for name in form.parameters() if (value := request.POST.get(name))
    }
    url = reverse(list_name, query=parameters)
    if len(url) > MAX_URL_LENGTH:
        url = reverse(list_name)
    return HttpResponseRedirect(url)
