"""The evidence bundle of a sealed notification: a ZIP file with all data to verify it.

    record.jsonl   the sealed text, byte by byte; its SHA-256 is the digest
    seal.json      the sealed line; its SHA-256 is the head
    chain.jsonl    the lines of all later seals, each with the head of the previous one
    actions.jsonl  audit entries of the notification, including late answers, and of its
                   recalls and corrections
    recall-7-…     record and seal of each sealed recall and correction, by its number
    drafts.jsonl   the versions of its draft; their digests are in actions.jsonl
    index.html     a readable copy of all of it, without network access or scripts
    VERIFY.txt     how to verify it, what that proves and what it does not
    SHA256SUMS     for ``sha256sum -c SHA256SUMS``

With one release, the same record results in the same bytes. The file is streamed from
one snapshot of the database: memory does not grow.
"""

import hashlib
import io
import zipfile
from collections.abc import Generator, Iterable, Iterator
from typing import IO, Any, cast

from notifications.history.evidence.page import MAX_OTHERS, EvidencePage
from notifications.models import (
    Archive,
    AuditEntry,
    DraftVersion,
    Notification,
    Seal,
    Tally,
)
from notifications.record import queries as record_queries
from notifications.record.canonical_text import canonical_text
from notifications.record.chain import seal_line
from notifications.record.draft_versions import version_line
from notifications.record.trail import action_line
from notifications.ui.downloads import Piece

HEAD_DIGITS = 12

SEALS_PER_QUERY = 100

# Bytes that are buffered before they are yielded.
PIECE_SIZE = 64 * 1024

# Constant, so that the same record results in the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)

READABLE_FILE = 0o100644 << 16


def bundle_name(seal: Seal) -> str:
    """``evidence-<number>-<first digits of the head>``, also the folder in the file."""
    return f"evidence-{seal.notification_id}-{seal.head[:HEAD_DIGITS]}"


class ArchivedMeanwhile(Exception):
    """The deliveries were archived after the permission to download was checked."""

    def __init__(self, notification_id: int) -> None:
        super().__init__(
            f"Notification {notification_id} was archived meanwhile, so its evidence was "
            "not written. The archive file holds the sealed text."
        )


def bundle(
    notification: Notification, seal: Seal, *, max_others: int = MAX_OTHERS
) -> Generator[Piece]:
    """Yield the ZIP file, for ``AuditedDownload``.

    ``notification`` must be sealed by ``seal``. Raises ``ArchivedMeanwhile`` before the
    first piece. The last piece has the number of rows.

    ``index.html`` and ``VERIFY.txt`` have the language and time zone that are active
    during this call.
    """
    newest = record_queries.newest_seal() or seal
    page = EvidencePage(notification, seal, newest, max_others=max_others)
    return _zip_pieces(notification, seal, newest, page)


def _zip_pieces(
    notification: Notification, seal: Seal, newest: Seal, page: EvidencePage
) -> Generator[Piece]:
    if Archive.objects.filter(notification=notification).exists():
        raise ArchivedMeanwhile(notification.pk)
    runs = list(notification.amendments.order_by("pk"))
    files: list[tuple[str, Iterable[bytes]]] = [
        ("record.jsonl", canonical_text(notification, seal.text_format)),
        ("seal.json", seal_lines(seal.number, seal.number)),
        ("chain.jsonl", seal_lines(seal.number + 1, newest.number)),
        *_files_of_amendments(runs),
        ("actions.jsonl", _actions([notification, *runs])),
        ("drafts.jsonl", _drafts(notification)),
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
                    if pieces.size > PIECE_SIZE:
                        yield pieces.take(), 0
            sums.append(f"{digest.hexdigest()}  {name}\n")
        archive.writestr(_entry(seal, "SHA256SUMS"), "".join(sums))
    yield pieces.take(), seal.rows


def seal_lines(first: int, last: int) -> Iterator[bytes]:
    """The sealed lines of these seals; the SHA-256 of a line is the head."""
    for start in range(first, last + 1, SEALS_PER_QUERY):
        end = min(start + SEALS_PER_QUERY, last + 1)
        numbered = Seal.objects.filter(number__gte=start, number__lt=end)
        # The leaves may take megabytes.
        seals = list(numbered.defer("leaves").order_by("number"))
        tallies: dict[int, list[Tally]] = {}
        for tally in Tally.objects.filter(
            notification_id__in=[s.notification_id for s in seals if s.notification_id]
        ):
            tallies.setdefault(tally.notification_id, []).append(tally)
        for seal in seals:
            yield seal_line(seal, tallies.get(seal.notification_id or 0, []))


def _files_of_amendments(
    runs: Iterable[Notification],
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Those that are sealed and have their rows; the page names the others."""
    archived = set(
        Archive.objects.filter(notification__in=runs).values_list(
            "notification_id", flat=True
        )
    )
    for run in runs:
        seal = record_queries.seal_of(run.pk)
        if seal is not None and run.pk not in archived:
            name = f"{run.channel}-{run.pk}"
            yield f"{name}-record.jsonl", canonical_text(run, seal.text_format)
            yield f"{name}-seal.json", seal_lines(seal.number, seal.number)


def _actions(notifications: Iterable[Notification]) -> Iterator[bytes]:
    numbers = [notification.pk for notification in notifications]
    entries = AuditEntry.objects.filter(notification_number__in=numbers)
    for entry in entries.order_by("pk").iterator(chunk_size=500):
        yield action_line(entry)


def _drafts(notification: Notification) -> Iterator[bytes]:
    versions = DraftVersion.objects.filter(notification_number=notification.pk)
    for version in versions.order_by("number").iterator(chunk_size=100):
        yield version_line(version)


def _entry(seal: Seal, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{bundle_name(seal)}/{name}", NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = READABLE_FILE
    return entry


class _Pieces(io.RawIOBase):
    """The file that ``ZipFile`` writes to: not seekable, emptied by ``take``."""

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
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return data
