"""From the lines of a file to chat groups, and to sentences about what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications.groups.importing.parse import LABELS, group_type_of, open_file
from notifications.groups.labels import split_labels
from notifications.models import GroupType
from notifications.tencent.ids import is_group_id
from notifications.ui.downloads import ESCAPED
from notifications.ui.text import has_control

NAME_MAX_LENGTH = 100

TYPES = frozenset(GroupType.values)

SHOWN = 80  # characters of a cell in a sentence


@dataclass(frozen=True, slots=True)
class Row:
    """One group as the file has it. ``None``: the file does not say.

    ``type`` is Tencent's word, or what was written where it is none of those.
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
    """Why a line cannot be used. ``column`` is one of ours; empty: the line as such."""

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
    """All that a file says. A line is in ``rows`` or has ``problems``."""

    encoding: str
    ignored: list[str]
    rows: list[Row] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def parse_rows(raw: bytes) -> ParsedRows:
    """Raises ``ValidationError`` when the file as a whole cannot be used."""
    file = open_file(raw)
    reading = ParsedRows(file.encoding, file.ignored)
    width = len(file.columns)
    places = {name: place for place, name in enumerate(file.columns) if name}
    first_lines: dict[str, int] = {}
    for line, cells in file.lines:
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            sentence = _(
                "It has %(cells)d cells, but there are %(headings)d headings. A text "
                "with a comma in it must stand between quotation marks."
            ) % {"cells": len(cells), "headings": width}
            reading.problems.append(RowProblem(line, "", sentence))
            continue
        values = {
            name: _text(cells[place]) if place < len(cells) else ""
            for name, place in places.items()
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
            reading.problems += problems
        else:
            reading.rows.append(row)
    return reading


def unknown_type(row: Row) -> RowProblem:
    """For a type that is none of Tencent's, as far as we know."""
    sentence = _("“%(type)s” is not one of %(types)s.") % {
        "type": _shown(row.type),
        "types": ", ".join(GroupType.values),
    }
    return RowProblem(row.line, "type", sentence)


def _shown(cell: str) -> str:
    return cell if len(cell) <= SHOWN else cell[:SHOWN] + "…"


def _text(cell: str) -> str:
    """Without spaces around it, and the mark that our own file has before a formula."""
    text = cell.strip()
    if text[:1] == "'" and text[1:].startswith(ESCAPED):
        return text[1:].strip()
    return text


def _row(line: int, values: Mapping[str, str]) -> tuple[Row, list[RowProblem]]:
    problems: list[RowProblem] = []

    def wrong(column: str, sentence: str) -> None:
        problems.append(RowProblem(line, column, sentence))

    group_id, name = values["group_id"], values["name"]
    if not is_group_id(group_id):
        wrong(
            "group_id",
            _("“%(id)s” is no group ID: 1 to 48 letters, digits or signs, no spaces.")
            % {"id": _shown(group_id)},
        )
    group_type = group_type_of(values["type"]) or values["type"]
    if not group_type:
        wrong(
            "type",
            _("It is empty. Write one of %(types)s.")
            % {"types": ", ".join(GroupType.values)},
        )
    if not name or len(name) > NAME_MAX_LENGTH or has_control(name):
        wrong(
            "name",
            _("The name must have 1 to %(n)d characters, on one line.")
            % {"n": NAME_MAX_LENGTH},
        )
    count = values.get("member_count", "")
    if count and not (count.isascii() and count.isdigit() and len(count) < 10):
        wrong(
            "member_count", _("“%(n)s” is no number of members.") % {"n": _shown(count)}
        )
        count = ""
    labels: tuple[str, ...] | None = None
    if "labels" in values:
        try:
            labels = tuple(split_labels(values["labels"]))
        except ValidationError as error:
            for sentence in error.messages:
                wrong("labels", sentence)
    member_count = int(count) if count else None
    return Row(line, group_id, group_type, name, member_count, labels), problems
