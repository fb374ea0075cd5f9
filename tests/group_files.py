"""CSV files of chat groups for tests: valid ones, and invalid ones with their error."""

import csv
import io
from collections.abc import Iterable, Sequence

from notifications.groups.importing.parse import GroupFile, open_file

ENGLISH = ("group_id", "type", "name", "member_count")
HEADER = b"group_id,type,name\n"
MISSING = "The first line must name the columns. Missing: "
WORKBOOK = "This is an Excel workbook. Save it as CSV first."
NO_TEXT = "This is not a text file. Save the list as CSV first."
EMPTY = "The file is empty."
TOO_LONG = "The file has more than 100,000 lines. Split it."

# Files that are rejected as a whole: content and error message.
BAD_FILES = {
    "empty": (b"", EMPTY),
    "a mark only": (b"\xef\xbb\xbf", EMPTY),
    "blank": (b" \r\n\t\r\n", EMPTY),
    "headings only": (
        HEADER + b"\n , ,\n",
        "The file has no line below the one with the headings.",
    ),
    "separators only": (b",", MISSING + "group_id, type, name"),
    "no headings": (b"g,Public,G\n", MISSING + "group_id, type, name"),
    "a missing heading": (b"id,name\ng,G\n", MISSING + "type"),
    "a heading twice": (
        "group_id,type,name,群名称\ng,Public,G,H\n".encode(),
        "The first line names a column twice: 群名称",
    ),
    "neither encoding": (
        HEADER + b"g,Public,\xff\n",
        "The file is neither UTF-8 nor GB 18030 (byte 29). Save it as “CSV UTF-8”.",
    ),
    "half of UTF-16": (
        b"\xff\xfeg",
        "The file is neither UTF-8 nor GB 18030 (byte 3). Save it as “CSV UTF-8”.",
    ),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", NO_TEXT),
    "a zero": (HEADER + b"g\0,Public,G\n", NO_TEXT),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00", WORKBOOK),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", WORKBOOK),
    "a quote that is left open": (
        HEADER + b'g,Public,"' + b"x" * 140_000,
        "Line 2 cannot be read. Is a quotation mark missing?",
    ),
    "an open quote in the headings": (
        b'"' + b"x" * 140_000,
        "Line 1 cannot be read. Is a quotation mark missing?",
    ),
}

# Files that are rejected by the page only.
LARGE_FILES = {
    "larger than 10 MB": (
        b"x" * (10 * 1024 * 1024 + 1),
        "The file is larger than 10 MB. Split it.",
    ),
    "200,000 lines": (HEADER + b"g,Public,G\n" * 200_000, TOO_LONG),
}


def opened(content: bytes) -> GroupFile:
    return open_file(io.BytesIO(content))


def text_of(
    rows: Iterable[Sequence[object]],
    headings: Sequence[str] = ENGLISH,
    separator: str = ",",
    end: str = "\r\n",
) -> str:
    """The file as a spreadsheet program writes it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end)
    writer.writerows([headings, *rows])
    return text.getvalue()
