"""An export as bytes: CSV for spreadsheets, JSON Lines for programs.

CSV: UTF-8 with a byte order mark, which Excel needs. A cell of text that a spreadsheet
would take for a formula, and so each group ID that begins with @, gets a ' before it; a
cell that begins with a ' of its own gets another one. Without its first ' such a cell
is the text as it was. JSON Lines: every text verbatim.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Rows in one piece: what a reader waits for, and what memory holds as text.
ROWS = 500
ESCAPED = ("=", "+", "-", "@", "\t", "\r", "\n", "'")

Values = tuple[Any, ...]
Piece = tuple[bytes, int]  # and how many rows it holds

# Made once: json.dumps would make one a row.
json_of = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Table:
    """What an export has in each row.

    ``texts``: columns with text that people or Tencent wrote; ``cells``: how a value
    that is no number or text becomes the cell of a spreadsheet.
    """

    columns: Sequence[str]
    texts: Sequence[str]
    cells: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)


def pieces(
    pages: Iterable[Sequence[Values]], table: Table, file_format: str
) -> Iterator[Piece]:
    """The whole file; ``file_format`` is one of ``FORMATS``."""
    header, text_of = FORMATS[file_format](table)
    if header:
        yield header.encode(), 0
    for page in pages:
        for start in range(0, len(page), ROWS):
            rows = page[start : start + ROWS]
            yield text_of(rows).encode(), len(rows)


Format = tuple[str, Callable[[Sequence[Values]], str]]  # header, text of rows


def _csv(table: Table) -> Format:
    place_of = table.columns.index
    texts = [place_of(name) for name in table.texts]
    cells = [(place_of(name), cell_of) for name, cell_of in table.cells.items()]

    def row_of(values: Values) -> list[Any]:
        """None becomes an empty cell."""
        row = list(values)
        for place, cell_of in cells:
            row[place] = cell_of(row[place])
        for place in texts:
            if row[place].startswith(ESCAPED):
                row[place] = "'" + row[place]
        return row

    return "\ufeff" + _lines([table.columns]), lambda rows: _lines(map(row_of, rows))


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _json_lines(table: Table) -> Format:
    def line_of(values: Values) -> str:
        return json_of(dict(zip(table.columns, values, strict=True))) + "\n"

    return "", lambda rows: "".join(map(line_of, rows))


FORMATS: dict[str, Callable[[Table], Format]] = {"csv": _csv, "jsonl": _json_lines}
