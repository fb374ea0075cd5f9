"""What exports have in common: CSV for spreadsheets, JSON Lines for programs.

CSV: UTF-8 with a byte order mark, which Excel needs. A cell of text that a spreadsheet
would take for a formula, and so each group ID that begins with @, gets a ' before it; a
cell that begins with a ' of its own gets another one. Without its first ' such a cell
is the text as it was. JSON Lines: every text verbatim.
"""

import csv
import json
from collections.abc import Generator, Iterable, Sequence
from typing import Any

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
