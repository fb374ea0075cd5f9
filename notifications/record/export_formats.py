"""An export as bytes: CSV for spreadsheets, JSON Lines for programs.

CSV: UTF-8 with a byte order mark, which Excel needs. A cell of text that a spreadsheet
would take for a formula, and so each group ID that begins with @, gets a ' before it; a
cell that begins with a ' of its own gets another one. Without its first ' such a cell
is the text as it was. JSON Lines: every text verbatim.
"""

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from .export import COLUMNS, Values

# Rows in one piece: what a reader waits for, and what memory holds as text.
ROWS = 500
ESCAPED = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
# Columns with text that people or Tencent wrote.
TEXTS = [
    COLUMNS.index(name)
    for name in (
        "sender",
        "content",
        "note",
        "group_id",
        "group_name",
        "recipients",
        "error_info",
    )
]
RECIPIENTS, ATTEMPTS = COLUMNS.index("recipients"), COLUMNS.index("attempts")

Piece = tuple[bytes, int]  # and how many rows it holds

# Made once: json.dumps would make one a row.
_json = json.JSONEncoder(ensure_ascii=False).encode


def pieces(pages: Iterable[list[Values]], file_format: str) -> Generator[Piece]:
    """The whole file; ``file_format`` is one of ``FORMATS``."""
    header, text_of = FORMATS[file_format]
    if header:
        yield header.encode(), 0
    for page in pages:
        for start in range(0, len(page), ROWS):
            rows = page[start : start + ROWS]
            yield text_of(rows).encode(), len(rows)


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _csv_rows(rows: Sequence[Values]) -> str:
    return _csv(map(_cells, rows))


def _cells(values: Values) -> list[Any]:
    """None becomes an empty cell."""
    cells = list(values)
    cells[RECIPIENTS] = " ".join(cells[RECIPIENTS])
    cells[ATTEMPTS] = _json(cells[ATTEMPTS])
    for place in TEXTS:
        if cells[place].startswith(ESCAPED):
            cells[place] = "'" + cells[place]
    return cells


def _json_lines(rows: Sequence[Values]) -> str:
    return "".join(_json(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows)


FORMATS: dict[str, tuple[str, Callable[[Sequence[Values]], str]]] = {
    "csv": ("\ufeff" + _csv([COLUMNS]), _csv_rows),
    "jsonl": ("", _json_lines),
}
