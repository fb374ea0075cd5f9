"""Convert the lines of a file to rows of chat groups and sentences about errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.groups.importing.parse import LABELS, group_type_of, open_file
from notifications.groups.label_names import split_labels
from notifications.models import GroupType
from notifications.tencent.ids import is_group_id
from notifications.ui.downloads import ESCAPED
from notifications.ui.text import has_control

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
class ParsedRows:
    """The content of a file. Each line is in ``rows`` or has ``problems``."""

    encoding: str
    ignored: list[str]
    rows: list[Row] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def parse_rows(raw: bytes) -> ParsedRows:
    """Raises ``ValidationError`` if the file as a whole is invalid."""
    file = open_file(raw)
    parsed = ParsedRows(file.encoding, file.ignored)
    width = len(file.columns)
    positions = {name: index for index, name in enumerate(file.columns) if name}
    first_lines: dict[str, int] = {}
    for line, cells in file.lines:
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            sentence = _(
                "It has %(cells)d cells, but there are %(headings)d headings. A text "
                "with a comma in it must stand between quotation marks."
            ) % {"cells": len(cells), "headings": width}
            parsed.problems.append(RowProblem(line, "", sentence))
            continue
        values = {
            name: _text(cells[index]) if index < len(cells) else ""
            for name, index in positions.items()
        }
        row, problems = _row(line, values)
        first = first_lines.setdefault(row.group_id, line)
        if first != line and is_group_id(row.group_id):
            sentence = _("“%(id)s” is on line %(first)d already.") % {
                "id": row.group_id,
                "first": first,
            }
            problems.insert(0, RowProblem(line, "group_id", sentence))
        if problems:
            if row.type and not row.has_known_type:
                problems.append(unknown_type(row))
            parsed.problems += problems
        else:
            parsed.rows.append(row)
    return parsed


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


def _row(line: int, values: Mapping[str, str]) -> tuple[Row, list[RowProblem]]:
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
            labels = tuple(split_labels(values["labels"]))
        except ValidationError as error:
            for sentence in error.messages:
                add_problem("labels", sentence)
    member_count = int(count) if count else None
    return Row(line, group_id, group_type, name, member_count, labels), problems
