"""Convert the lines of a file to rows of chat groups and sentences about errors."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.groups.importing.parse import (
    LABELS,
    GroupFile,
    Line,
    group_type_of,
)
from notifications.groups.label_names import split_labels
from notifications.models import GroupType
from notifications.tencent.ids import is_group_id
from notifications.ui.downloads import ESCAPED
from notifications.ui.text import has_control

BLOCK = 5000  # lines in memory at a time

NAME_MAX_LENGTH = 100

TYPES = frozenset(GroupType.values)

CELL_MAX_LENGTH = 80  # characters of a cell that a sentence quotes


@dataclass(frozen=True, slots=True)
class Row:
    """One group of the file; ``None`` for a value that the file does not contain.

    ``type`` is a ``GroupType``, or the text of the cell if it is none.
    """

    line: int
    group_id: str
    type: str
    name: str
    member_count: int | None
    labels: tuple[str, ...] | None

    @property
    def has_known_type(self) -> bool:
        return self.type in TYPES


@dataclass(frozen=True, slots=True)
class RowProblem:
    """An error; ``column`` is a name in ``parse.COLUMNS``, or empty for a whole line."""

    line: int
    column: str
    sentence: str

    def __str__(self) -> str:
        if not self.column:
            return _("Line %(n)d: %(sentence)s") % {
                "n": self.line,
                "sentence": self.sentence,
            }
        return _("Line %(n)d, %(column)s: %(sentence)s") % {
            "n": self.line,
            "column": LABELS[self.column],
            "sentence": self.sentence,
        }


@dataclass(slots=True)
class ParsedBlock:
    """Consecutive lines of a file. Each is in ``rows`` or has ``problems``."""

    rows: list[Row] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def parse_rows(file: GroupFile) -> Iterator[ParsedBlock]:
    """Read the file, ``BLOCK`` lines at a time.

    Raises ``ValidationError`` if the file as a whole is invalid.
    """
    lines = file.lines()
    with closing(_FirstLines()) as first_lines:
        while block := list(islice(lines, BLOCK)):
            yield _parse_block(block, file.columns, first_lines)


def _parse_block(
    lines: Sequence[Line], columns: Sequence[str | None], first_lines: "_FirstLines"
) -> ParsedBlock:
    block = ParsedBlock()
    width = len(columns)
    parsed: list[tuple[Row, list[RowProblem]]] = []
    for line, cells in lines:
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            sentence = _(
                "It has %(cells)d cells, but there are %(headings)d headings. A text "
                "with a comma in it must stand between quotation marks."
            ) % {"cells": len(cells), "headings": width}
            block.problems.append(RowProblem(line, "", sentence))
            continue
        texts = [*map(_text, cells), *[""] * (width - len(cells))]
        parsed.append(_row(line, dict(zip(columns, texts, strict=False))))
    first = first_lines.add([row for row, _problems in parsed])
    for row, problems in parsed:
        if first[row.group_id] != row.line and is_group_id(row.group_id):
            sentence = _("“%(id)s” is on line %(first)d already.") % {
                "id": row.group_id,
                "first": first[row.group_id],
            }
            problems.insert(0, RowProblem(row.line, "group_id", sentence))
        if problems:
            if row.type and not row.has_known_type:
                problems.append(unknown_type(row))
            block.problems += problems
        else:
            block.rows.append(row)
    block.problems.sort(key=lambda problem: problem.line)
    return block


class _FirstLines:
    """The first line of each group ID of a file.

    They are in a temporary database of SQLite, which is in memory up to its cache and
    otherwise in a temporary file: as a ``dict`` they would grow with the file.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA cache_size = -16000;"  # kilobytes
            "CREATE TABLE first (group_id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID;"
            "BEGIN"
        )

    def add(self, rows: Sequence[Row]) -> dict[str, int]:
        """Add rows that follow those added before; return the first line of each ID."""
        lines = {row.group_id: row.line for row in reversed(rows)}
        added = self._database.executemany(
            "INSERT OR IGNORE INTO first VALUES (?, ?)", lines.items()
        )
        if added.rowcount == len(lines):
            return lines
        earlier = self._database.execute(
            "SELECT group_id, line FROM first "
            "WHERE group_id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(lines))],
        )
        return lines | dict(earlier)

    def close(self) -> None:
        self._database.close()


def unknown_type(row: Row) -> RowProblem:
    """The error for a group type that this program does not know."""
    sentence = _("“%(type)s” is not one of %(types)s.") % {
        "type": _quoted(row.type),
        "types": ", ".join(GroupType.values),
    }
    return RowProblem(row.line, "type", sentence)


def _quoted(cell: str) -> str:
    return cell if len(cell) <= CELL_MAX_LENGTH else cell[:CELL_MAX_LENGTH] + "…"


def _text(cell: str) -> str:
    """Strip spaces, and the apostrophe that the export puts before a formula."""
    text = cell.strip()
    if text[:1] == "'" and text[1:].startswith(ESCAPED):
        return text[1:].strip()
    return text


@lru_cache(maxsize=200)  # most groups have the labels of many others
def _labels(cell: str) -> tuple[str, ...]:
    return tuple(split_labels(cell))


def _row(line: int, values: Mapping[str | None, str]) -> tuple[Row, list[RowProblem]]:
    problems: list[RowProblem] = []

    def add_problem(column: str, sentence: str) -> None:
        problems.append(RowProblem(line, column, sentence))

    group_id, name = values["group_id"], values["name"]
    if not is_group_id(group_id):
        add_problem(
            "group_id",
            _("“%(id)s” is no group ID: 1 to 48 letters, digits or signs, no spaces.")
            % {"id": _quoted(group_id)},
        )
    group_type = group_type_of(values["type"]) or values["type"]
    if not group_type:
        add_problem(
            "type",
            _("It is empty. Write one of %(types)s.")
            % {"types": ", ".join(GroupType.values)},
        )
    if not name or len(name) > NAME_MAX_LENGTH or has_control(name):
        add_problem(
            "name",
            _("The name must have 1 to %(n)d characters, on one line.")
            % {"n": NAME_MAX_LENGTH},
        )
    count = values.get("member_count", "")
    if count and not (count.isascii() and count.isdigit() and len(count) < 10):
        add_problem(
            "member_count",
            _("“%(n)s” is no number of members.") % {"n": _quoted(count)},
        )
        count = ""
    labels: tuple[str, ...] | None = None
    if "labels" in values:
        try:
            labels = _labels(values["labels"])
        except ValidationError as error:
            for sentence in error.messages:
                add_problem("labels", sentence)
    member_count = int(count) if count else None
    return Row(line, group_id, group_type, name, member_count, labels), problems
