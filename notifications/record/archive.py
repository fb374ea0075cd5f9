"""Archives: the sealed text of a notification, compressed, outside the database.

The file gets its final name only after it was written, flushed to the disk and read back:
a crash leaves either no file of that name or a correct one, which the next run reuses.

The row that names the file has a seal of its own. Without it, rows could be removed and
the removal be passed off as archiving.
"""

import gzip
import hashlib
import zlib
from pathlib import Path

from notifications.files import durable_file, sha256
from notifications.models import Archive, Notification, Seal
from notifications.record.canonical_text import Row, canonical_text, iso_time, json_line
from notifications.record.chain import SealedByAnother, append, digest_of

# Nearly as small as with 9, in a third of the time.
COMPRESSION = 6


class NotArchivable(Exception):
    """The message gives the reason why nothing was removed, and what to do."""


def file_name(notification: int) -> str:
    return f"notification-{notification}.jsonl.gz"


def write(notification: Notification, folder: Path, *, seal: Seal) -> str:
    """Write the archive file, or reuse the one of an earlier run, and read it back.

    ``seal`` is that of the notification. Returns the SHA-256 of the file in hexadecimal
    digits. Raises ``NotArchivable`` when a file of that name has another content, or when
    the record differs from what was sealed; ``OSError``, for example when the disk is full.
    """
    path = folder / file_name(notification.pk)
    if path.exists():
        if _digest_of_text(path) != seal.digest:
            raise NotArchivable(
                f"{path} exists already and does not hold the sealed text of notification "
                f"{notification.pk}. Inspect the file, move it away, and try again."
            )
        return sha256(path)
    with durable_file(path) as partial:
        with (
            partial.open("wb") as file,
            # No time and no name in the header: the same text gives the same file.
            gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as archive,
        ):
            archive.writelines(canonical_text(notification, seal.text_format))
        if _digest_of_text(partial) != seal.digest:
            raise NotArchivable(
                f"Notification {notification.pk} differs from its seal. Run manage.py "
                f"verify_history --notification {notification.pk}."
            )
    return sha256(path)


def seal_archive(archive: Archive) -> Seal:
    """Seal the archive, in the transaction that removes the rows."""
    seal = Seal(kind=Seal.Kind.ARCHIVE, archive=archive)
    digest = digest_of([archive_row(archive)])
    while True:
        try:
            return append(seal, digest, [])
        except SealedByAnother:
            continue


def archive_row(archive: Archive) -> Row:
    """The number of the notification and the sealed text: all columns of the archive."""
    return archive.notification_id, json_line(
        {
            "id": archive.pk,
            "notification": archive.notification_id,
            "file_name": archive.file_name,
            "file_digest": archive.file_digest,
            "deliveries": archive.deliveries,
            "attempts": archive.attempts,
            "by_group": archive.by_group,
            "archived_at": iso_time(archive.archived_at),
        }
    )


def _digest_of_text(path: Path) -> str:
    """SHA-256 of the decompressed text; empty when the file cannot be decompressed."""
    try:
        with gzip.open(path) as text:
            return hashlib.file_digest(text, "sha256").hexdigest()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return ""
