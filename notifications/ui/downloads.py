"""Downloads: CSV and JSON Lines, recorded in the audit trail, streamed.

CSV: UTF-8 with a byte order mark, which Excel needs. A cell of text that a spreadsheet
would take for a formula, and so each group ID that begins with @, gets a ' before it; a
cell that begins with a ' of its own gets another one. Without its first ' such a cell
is the text as it was. JSON Lines: every text verbatim.
"""

import csv
import hashlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from notifications import audit_log
from notifications.ui.audit_events import EXPORT_ENDED
from notifications.ui.filters import FilterForm

# Rows in one piece: what a reader waits for, and what memory holds as text.
ROWS = 500

ESCAPED = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


Values = tuple[Any, ...]

Piece = tuple[bytes, int]  # and how many rows it holds


# Made once: json.dumps would make one a row.
json_of = json.JSONEncoder(ensure_ascii=False).encode


def pieces(header: str, pages: Iterable[Sequence[str]]) -> Generator[Piece]:
    """The file: its header, then the lines of each page, a line a row."""
    if header:
        yield header.encode(), 0
    for lines in pages:
        for start in range(0, len(lines), ROWS):
            piece = lines[start : start + ROWS]
            yield "".join(piece).encode(), len(piece)


def csv_header(columns: Sequence[str]) -> str:
    return "\ufeff" + csv_lines([columns])[0]


def csv_lines(rows: Iterable[Sequence[Any]]) -> list[str]:
    """A line each; None becomes an empty cell."""
    lines = _Lines()
    csv.writer(lines).writerows(rows)
    return lines.found


def escaped(value: Any) -> Any:
    """A cell that no spreadsheet runs as a formula; what is no text stays as it is."""
    is_text = isinstance(value, str)
    return "'" + value if is_text and value.startswith(ESCAPED) else value


class _Lines:
    """What a ``csv.writer`` writes to."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.write = self.found.append


class Download:
    """The bytes of the file, piece by piece.

    The first entry is written at once, before any piece is asked for; the last, at the
    end of the file, has its digest. ``close`` says that nobody reads on, or ever began
    to; the last entry then says so too.
    """

    def __init__(
        self,
        event: audit_log.Event,
        actor: str,
        pieces: Generator[Piece],
        *,
        file_format: str,
        filters: Mapping[str, str],
        **detail: Any,
    ) -> None:
        audit_log.write(
            event, actor, format=file_format, filters=dict(filters), **detail
        )
        self._actor = actor
        self._pieces = pieces
        # The request itself is over before the file is.
        self._origin = audit_log.present_origin()
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
        self._pieces.close()  # its queries end here, not whenever memory is tidied
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


# Characters. gunicorn takes none beyond 4094, Django redirects to none beyond 16384.
LONGEST_ADDRESS = 3000

# What a list can be downloaded as.
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}


def as_file(
    pieces: Iterable[bytes], name: str, content_type: str
) -> StreamingHttpResponse:
    """Sent while it is read. ``pieces`` are closed when the reader went away."""
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def nothing_downloaded(
    request: HttpRequest, form: FilterForm, list_name: str
) -> HttpResponseRedirect:
    """Back to the list called ``list_name``, whose filters say what is wrong with them.

    Without a bad filter the file would hold more than was asked for.
    """
    messages.error(request, _("Nothing was downloaded: correct the filters first."))
    given = {
        name: value for name in form.parameters() if (value := request.POST.get(name))
    }
    address = reverse(list_name, query=given)
    if len(address) > LONGEST_ADDRESS:
        address = reverse(list_name)
    return HttpResponseRedirect(address)
