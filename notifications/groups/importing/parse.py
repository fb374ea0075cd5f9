"""Parse an import file into cells under known column names.

The file is read in pieces, and again for each iteration of its lines: neither its bytes
nor its text are in memory. A file that is invalid as a whole is refused with one sentence.
"""

import csv
import io
import re
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, islice
from typing import BinaryIO, TextIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.models import GroupType

# Limits of the page; the command has none.
MAX_BYTES = 10 * 1024 * 1024

MAX_ROWS = 100_000

SEPARATORS = ",;\t"

# First bytes of Excel workbooks: .xlsx, which is a ZIP file, and .xls.
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

UTF_8, UTF_16, GB_18030 = "UTF-8", "UTF-16", "GB 18030"

CODECS = {UTF_8: "utf-8-sig", UTF_16: "utf-16", GB_18030: "gb18030"}

PIECE = 1024 * 1024  # bytes read at once

Line = tuple[int, list[str]]  # number of its first line in the file, from 1; cells


@dataclass(frozen=True, slots=True)
class GroupFile:
    """``columns``: names of the columns in file order; ``None`` for an ignored one."""

    file: BinaryIO
    encoding: str
    separator: str
    columns: list[str | None]
    ignored: list[str]  # headings

    def lines(self) -> Iterator[Line]:
        """Lines below the headings, one iteration at a time.

        Raises ``ValidationError``.
        """
        return islice(_lines(self.file, self.encoding, self.separator), 1, None)


def open_file(file: BinaryIO) -> GroupFile:
    """Detect encoding, separator and columns of a seekable file.

    Raises ``ValidationError`` if the file is invalid; so does the iteration of its lines.
    """
    encoding = _encoding(file)
    separator = _separator(_first_line(file, encoding))
    lines = _lines(file, encoding, separator)
    _number, headings = next(lines, (1, []))  # only separators: no columns
    columns = _columns(headings)
    ignored = [
        heading.strip()
        for heading, column in zip(headings, columns, strict=True)
        if column is None and heading.strip()
    ]
    if next(lines, None) is None:
        raise ValidationError(
            _("The file has no line below the one with the headings.")
        )
    return GroupFile(file, encoding, separator, columns, ignored)


def check_file(content: bytes, max_rows: int = MAX_ROWS) -> None:
    """Raise ``ValidationError`` if a file of the page is invalid as a whole."""
    if len(content) > MAX_BYTES:
        raise ValidationError(_("The file is larger than 10 MB. Split it."))
    for count, _line in enumerate(open_file(io.BytesIO(content)).lines(), start=1):
        if count > max_rows:
            raise ValidationError(_("The file has more than 100,000 lines. Split it."))


def _encoding(file: BinaryIO) -> str:
    start = next(_pieces(file), b"")
    if start.startswith(WORKBOOKS):
        raise ValidationError(_("This is an Excel workbook. Save it as CSV first."))
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        encoding = UTF_16
    elif any(b"\0" in piece for piece in _pieces(file)):
        raise ValidationError(_("This is not a text file. Save the list as CSV first."))
    elif _invalid_byte(file, UTF_8) is None:
        return UTF_8
    else:
        encoding = GB_18030
    position = _invalid_byte(file, encoding)
    if position is not None:
        raise ValidationError(
            _(
                "The file is neither UTF-8 nor GB 18030 (byte %(n)d). Save it as “CSV "
                "UTF-8”."
            )
            % {"n": position + 1}
        )
    return encoding


def _invalid_byte(file: BinaryIO, encoding: str) -> int | None:
    """Position of the first byte that cannot be decoded, or ``None``."""
    decoder = getincrementaldecoder(CODECS[encoding])()
    position = 0
    for piece in chain(_pieces(file), [b""]):
        # Bytes of a character that continues in this piece.
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            return position - pending + error.start
        position += len(piece)
    return None


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


@contextmanager
def _text(file: BinaryIO, encoding: str) -> Iterator[TextIO]:
    file.seek(0)
    text = io.TextIOWrapper(file, CODECS[encoding], newline="")
    try:
        yield text
    finally:
        # Otherwise its end would close the file, which after an error is closed already.
        with suppress(ValueError):
            text.detach()


def _first_line(file: BinaryIO, encoding: str) -> str:
    """The first line that is not blank."""
    with _text(file, encoding) as text:
        for line in text:
            if line.strip():
                return line
    raise ValidationError(_("The file is empty."))


def _separator(first_line: str) -> str:
    """The separator that gives the most known columns."""

    def column_count(separator: str) -> int:
        cells = first_line.strip().split(separator)
        return sum(column_of(cell.strip(' "')) is not None for cell in cells)

    return max(SEPARATORS, key=column_count)


def _columns(headings: list[str]) -> list[str | None]:
    names = [column_of(heading) for heading in headings]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise ValidationError(
            _("The first line must name the columns. Missing: %(names)s")
            % {"names": ", ".join(missing)}
        )
    columns = [None if name in READ_ONLY else name for name in names]
    duplicates = [
        heading.strip()
        for index, heading in enumerate(headings)
        if columns[index] and columns[index] in columns[:index]
    ]
    if duplicates:
        raise ValidationError(
            _("The first line names a column twice: %(names)s")
            % {"names": ", ".join(duplicates)}
        )
    return columns


def _lines(file: BinaryIO, encoding: str, separator: str) -> Iterator[Line]:
    """Each record that is not blank, with the number of its first line."""
    first_line = 1
    with _text(file, encoding) as text:
        reader = csv.reader(text, delimiter=separator)
        try:
            for cells in reader:
                if any(map(str.strip, cells)):
                    yield first_line, cells
                first_line = reader.line_num + 1
        except csv.Error:  # usually a quotation mark that is never closed
            raise ValidationError(
                _("Line %(n)d cannot be read. Is a quotation mark missing?")
                % {"n": reader.line_num}
            ) from None


REQUIRED = ("group_id", "type", "name")

# Names of the columns, and the headings that users, the pages and Tencent use for them.
COLUMNS = {
    "group_id": ("group_id", "id", "群ID", "群组ID", "群号"),
    "type": ("type", "group type", "类型", "群类型", "群组类型"),
    "name": ("name", "group name", "group", "名称", "群名称", "群名", "群组名称", "群组"),
    "member_count": (
        "member_count", "members", "member num", "成员数", "成员", "人数", "群人数",
    ),
    "labels": ("labels", "label", "标签", "群标签"),
    "state": ("state", "状态", "群状态"),
    "checked_at": ("checked_at", "last checked", "上次核对", "最近核对"),
}  # fmt: skip

# Exported for information; an import ignores them.
READ_ONLY = ("state", "checked_at")

# Labels of the pages.
LABELS = {
    "group_id": gettext_lazy("Group ID"),
    "type": gettext_lazy("Type"),
    "name": gettext_lazy("Name"),
    "member_count": gettext_lazy("Members"),
    "labels": gettext_lazy("Labels"),
}

# Accepted in addition to the stored values and the labels of the pages.
TYPES = {
    GroupType.PRIVATE: ("Work", "好友工作群", "工作群"),
    GroupType.PUBLIC: ("陌生人社交群", "公开群"),
    GroupType.CHAT_ROOM: ("Meeting", "临时会议群", "会议群"),
    GroupType.AV_CHAT_ROOM: ("直播群", "音视频聊天室"),
    GroupType.B_CHAT_ROOM: ("全员广播群", "在线成员广播大群"),
    GroupType.COMMUNITY: ("社群",),
}

BRACKETS = re.compile(r"[(（].*?[)）]")


def column_of(heading: str) -> str | None:
    """Name of the column for a heading."""
    return _column_names().get(normalized(heading))


@lru_cache(maxsize=1000)
def group_type_of(word: str) -> str | None:
    """Stored value of the group type for a cell."""
    return _types().get(normalized(word))


def normalized(text: str) -> str:
    """Ignore differences in case, spaces, hyphens and width."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", text)).lower()


@cache
def _column_names() -> dict[str, str]:
    return {normalized(word): name for name, words in COLUMNS.items() for word in words}


@cache
def _types() -> dict[str, str]:
    types: dict[str, str] = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            for value, label in GroupType.choices:
                types[normalized(str(label))] = value
                types[normalized(BRACKETS.sub("", str(label)))] = value
    for group_type, words in TYPES.items():
        types |= {
            normalized(word): group_type.value for word in (group_type.value, *words)
        }
    return types
