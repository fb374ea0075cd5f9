"""An export as bytes: CSV for spreadsheets, JSON Lines for programs.

CSV: UTF-8 with a byte order mark, which Excel needs. A cell of text that a spreadsheet
would take for a formula, and so each group ID that begins with @, gets a ' before it; a
cell that begins with a ' of its own gets another one. Without its first ' such a cell
is the text as it was. JSON Lines: every text verbatim.
"""

import csv
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from .export import ABOUT, COLUMNS, OWN, Page, Values

ESCAPED = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
RECIPIENTS = OWN.index("recipients")
# Of OWN: texts that people or Tencent wrote.
TEXTS = [
    OWN.index(name)
    for name in ("sender", "group_id", "group_name", "recipients", "error_info")
]
# Rows in one piece: what a reader waits for, and what memory holds as text.
ROWS = 500

Piece = tuple[bytes, int]  # and how many rows it holds

# Made once: json.dumps would make one a row.
_json = json.JSONEncoder(ensure_ascii=False).encode


def pieces(pages: Iterable[Page], file_format: str) -> Generator[Piece]:
    """The whole file; ``file_format`` is one of ``FORMATS``."""
    header, lines_of = FORMATS[file_format]
    if header:
        yield header.encode(), 0
    for page in pages:
        lines = lines_of(page)
        for start in range(0, len(lines), ROWS):
            piece = lines[start : start + ROWS]
            yield "".join(piece).encode(), len(piece)


def _csv(rows: Iterable[Sequence[Any]]) -> list[str]:
    """A line each; None becomes an empty cell."""
    lines = _Lines()
    csv.writer(lines).writerows(rows)
    return lines.found


def _csv_lines(page: Page) -> list[str]:
    about = {
        number: _csv([[_escaped(value) for value in values]])[0].removesuffix("\r\n")
        for number, values in page.about.items()
    }
    own = _csv(_own_cells(values) for _pk, _number, values in page.rows)
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


def _escaped(value: Any) -> Any:
    is_text = isinstance(value, str)
    return "'" + value if is_text and value.startswith(ESCAPED) else value


def _json_lines(page: Page) -> list[str]:
    about = {
        number: _json(dict(zip(ABOUT, values, strict=True)))[1:-1]
        for number, values in page.about.items()
    }
    names = OWN[:-1]
    return [
        f'{{"delivery": {pk}, {about[number]}, '
        f"{_json(dict(zip(names, values, strict=False)))[1:-1]}, "
        f'"attempts": {values[-1]}}}\n'
        for pk, number, values in page.rows
    ]


class _Lines:
    """What a ``csv.writer`` writes to."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.write = self.found.append


FORMATS: dict[str, tuple[str, Callable[[Page], list[str]]]] = {
    "csv": ("\ufeff" + _csv([COLUMNS])[0], _csv_lines),
    "jsonl": ("", _json_lines),
}
