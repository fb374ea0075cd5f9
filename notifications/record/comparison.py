"""Compare a text with its seal, and locate the first row that differs."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO

from notifications.models import Seal
from notifications.record.canonical_text import Row
from notifications.record.chain import digest_into
from notifications.record.leaves import digests_by_row, reader_of, size_of


def compare(
    seal: Seal, text: Callable[[], Iterable[Row]], row: str, subject: str
) -> str:
    """The first difference of the text; ``row`` and ``subject`` name it in sentences.

    The text is read again if it differs, to locate the row.
    """
    whole = hashlib.sha256()
    for _number, content in text():
        whole.update(content)
    if whole.hexdigest() == seal.digest:
        return ""
    with tempfile.TemporaryFile() as file:
        digest_into(text(), file.write)
        return _difference_of_leaves(seal, file, row, subject)


def _difference_of_leaves(
    seal: Seal, present_leaves: BinaryIO, row: str, subject: str
) -> str:
    def read(position: int, size: int) -> bytes:
        present_leaves.seek(position)
        return present_leaves.read(size)

    size = present_leaves.seek(0, os.SEEK_END)
    # Row by row, because dictionaries of a million rows would take half a gigabyte.
    both = merge(
        (
            (number, True, digests)
            for number, digests in digests_by_row(reader_of(seal), size_of(seal))
        ),
        ((number, False, digests) for number, digests in digests_by_row(read, size)),
        key=itemgetter(0),
    )
    for number, sides in groupby(both, key=itemgetter(0)):
        digests = {is_sealed: list_ for _number, is_sealed, list_ in sides}
        sealed, present = digests.get(True), digests.get(False)
        if present is None:
            return f"{row} {number} is missing from {subject}."
        if sealed is None:
            return f"{row} {number} was added to {subject}."
        if len(sealed) != len(present):
            return f"{row} {number} of {subject} has another number of attempts or queries."
        if sealed != present:
            return f"{row} {number} of {subject} was changed."
    return f"{subject} was changed: its first line, which says what was sent."
