"""The evidence bundle of one sealed notification: a ZIP file that checks itself.

    record.jsonl   the text that was sealed, byte by byte; its SHA-256 is the digest
    seal.json      the line that was sealed; its SHA-256 is the head
    chain.jsonl    the lines of all later seals, each holding the head of the one before
    actions.jsonl  what was done with the notification, late answers and all
    index.html     all of it to read, without a network and without a script
    VERIFY.txt     how to check it, what that proves and what it does not
    SHA256SUMS     for ``sha256sum -c SHA256SUMS``

Same record, same bytes. It is written while it is read: memory does not grow.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, cast

from notifications.history.evidence.page import EvidencePage
from notifications.models import AuditEntry, Notification, Seal, Tally
from notifications.record import queries as record_queries
from notifications.record.canonical_text import canonical_text
from notifications.record.sealing import action_line, seal_line

HEAD_DIGITS = 12

# Of seals at once: each holds some bytes for every row that it covers.
SEALS = 10

# So much is gathered before it is handed on.
PIECE = 64 * 1024

# Times of the files would make the same record another file.
NO_TIME = (1980, 1, 1, 0, 0, 0)

READABLE_FILE = 0o100644 << 16


def bundle_name(seal: Seal) -> str:
    """``evidence-N-HEAD.zip``, with the first digits of the head."""
    return f"{_folder(seal)}.zip"


def bundle(notification: Notification, seal: Seal) -> Iterator[bytes]:
    """The ZIP file in pieces. ``notification`` must be sealed by ``seal``, not archived.

    The language and the time zone of ``index.html`` and ``VERIFY.txt`` are those of the
    moment of this call.
    """
    newest = record_queries.newest() or seal
    page = EvidencePage(notification, seal, newest)
    return _written(notification, seal, newest, page)


def _written(
    notification: Notification, seal: Seal, newest: Seal, page: EvidencePage
) -> Iterator[bytes]:
    files: list[tuple[str, Iterable[bytes]]] = [
        ("record.jsonl", canonical_text(notification)),
        ("seal.json", seal_lines(seal.number, seal.number)),
        ("chain.jsonl", seal_lines(seal.number + 1, newest.number)),
        ("actions.jsonl", _actions(notification)),
        ("index.html", page.html()),
        ("VERIFY.txt", page.text()),
    ]
    pieces = _Pieces()
    sums = []
    with zipfile.ZipFile(cast("IO[bytes]", pieces), "w") as archive:
        for name, content in files:
            digest = hashlib.sha256()
            with archive.open(_entry(seal, name), "w", force_zip64=True) as file:
                for line in content:
                    digest.update(line)
                    file.write(line)
                    if pieces.size > PIECE:
                        yield pieces.take()
            sums.append(f"{digest.hexdigest()}  {name}\n")
        archive.writestr(_entry(seal, "SHA256SUMS"), "".join(sums))
    yield pieces.take()


def seal_lines(first: int, last: int) -> Iterator[bytes]:
    """The sealed lines of these seals, whose SHA-256 are their heads."""
    for start in range(first, last + 1, SEALS):
        end = min(start + SEALS, last + 1)
        seals = list(
            Seal.objects.filter(number__gte=start, number__lt=end).order_by("number")
        )
        tallies: dict[int, list[Tally]] = {}
        for tally in Tally.objects.filter(
            notification_id__in=[s.notification_id for s in seals if s.notification_id]
        ):
            tallies.setdefault(tally.notification_id, []).append(tally)
        for seal in seals:
            yield seal_line(seal, tallies.get(seal.notification_id or 0, []))


def _actions(notification: Notification) -> Iterator[bytes]:
    entries = AuditEntry.objects.filter(notification_number=notification.pk)
    for entry in entries.order_by("pk").iterator(chunk_size=500):
        yield action_line(entry)


def _folder(seal: Seal) -> str:
    return f"evidence-{seal.notification_id}-{seal.head[:HEAD_DIGITS]}"


def _entry(seal: Seal, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{_folder(seal)}/{name}", NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = READABLE_FILE
    return entry


class _Pieces(io.RawIOBase):
    """What ``ZipFile`` writes to, handed on bit by bit: there is no going back in it."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self.size += len(data)
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return taken
