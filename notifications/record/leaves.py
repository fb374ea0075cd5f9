"""The leaves of a seal: the number of each row and the start of the digest of its line.

They have 12 bytes a row, 24 MB for a notification with a million deliveries. So the
leaves of a stored seal are read in chunks: memory does not grow with the seal.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from heapq import merge
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

from django.db import connection

from notifications.db.sql import quoted_column, quoted_table
from notifications.models import Seal

LEAF = struct.Struct(">q4s")
CHUNK = LEAF.size * 2**17  # bytes, 1.5 MB

# Reads at most so many bytes (the second argument) from a position (the first).
Read = Callable[[int, int], bytes]


def digest_of_leaves(seal: Seal) -> str:
    """SHA-256 of the leaves, which a seal that is not stored yet holds in memory."""
    if "leaves" not in seal.get_deferred_fields():
        return hashlib.sha256(seal.leaves).hexdigest()
    digest, read = hashlib.sha256(), reader_of(seal)
    for position in range(0, size_of(seal), CHUNK):
        digest.update(read(position, CHUNK))
    return digest.hexdigest()


def leaves_of(seal: Seal) -> Iterator[tuple[int, bytes]]:
    """Read the leaves of a stored seal.

    A seal that was changed may end with a part of a leaf, which is skipped.
    """
    return _unpack(reader_of(seal), 0, size_of(seal), CHUNK)


def size_of(seal: Seal) -> int:
    """The bytes of the leaves of a stored seal; neither database loads them for it."""
    function = "octet_length" if connection.vendor == "postgresql" else "length"
    return int(_value(f"{function}({quoted_column(Seal, 'leaves')})", seal) or 0)


def reader_of(seal: Seal) -> Read:
    """Read from the leaves of a stored seal."""
    column = quoted_column(Seal, "leaves")

    def read_postgresql(position: int, size: int) -> bytes:
        part = f"substring({column} FROM {position + 1:d} FOR {size:d})"
        return bytes(_value(part, seal))

    def read_sqlite(position: int, size: int) -> bytes:
        # ``substr`` would load all leaves for each part.
        with (
            connection.wrap_database_errors,
            connection.connection.blobopen(
                Seal._meta.db_table, "leaves", seal.pk, readonly=True
            ) as blob,
        ):
            blob.seek(position)
            return bytes(blob.read(size))

    return read_postgresql if connection.vendor == "postgresql" else read_sqlite


def digests_by_row(read: Read, size: int) -> Iterator[tuple[int, list[bytes]]]:
    """The numbers of the rows in ascending order, each with the digests of its lines.

    The lines are in runs of ascending numbers: the deliveries, then their attempts, and
    then the queries about them.
    """
    size -= size % LEAF.size
    runs = [0]
    previous: int | None = None
    for index, (number, _digest) in enumerate(_unpack(read, 0, size, CHUNK)):
        if previous is not None and number < previous:
            runs.append(index * LEAF.size)
        previous = number
    # Damaged leaves may have many runs: all chunks together have a bounded size.
    chunk = max(CHUNK // len(runs) // LEAF.size, 1) * LEAF.size
    lines = merge(
        *(_unpack(read, start, end, chunk) for start, end in pairwise([*runs, size])),
        key=itemgetter(0),
    )
    for number, of_row in groupby(lines, key=itemgetter(0)):
        yield number, [digest for _number, digest in of_row]


def _unpack(
    read: Read, start: int, end: int, chunk: int
) -> Iterator[tuple[int, bytes]]:
    end -= (end - start) % LEAF.size
    for position in range(start, end, chunk):
        yield from LEAF.iter_unpack(read(position, min(chunk, end - position)))


def _value(expression: str, seal: Seal) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {expression} FROM {quoted_table(Seal)} WHERE id = %s",  # noqa: S608  names of the model
            [seal.pk],
        )
        (value,) = cursor.fetchone()
    return value
