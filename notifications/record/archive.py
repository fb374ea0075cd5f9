"""Archive files: the sealed text of a notification, compressed, outside the database.

The file gets its final name only after it was written, flushed to the disk and read back:
a crash leaves either no file of that name or a correct one, which the next run reuses.
"""

import gzip
import hashlib
import zlib
from pathlib import Path

from notifications.files import durable_file, sha256
from notifications.models import Notification
from notifications.record.canonical_text import canonical_text

# Nearly as small as with 9, in a third of the time.
COMPRESSION = 6


class NotArchivable(Exception):
    """The message gives the reason why nothing was removed, and what to do."""


def file_name(notification: int) -> str:
    return f"notification-{notification}.jsonl.gz"


def write(notification: Notification, folder: Path, *, digest: str) -> str:
    """Write the archive file, or reuse the one of an earlier run, and read it back.

    ``digest`` is the digest of the seal. Returns the SHA-256 of the file in hexadecimal
    digits. Raises ``NotArchivable`` when a file of that name has another content, or when
    the record differs from what was sealed; ``OSError``, for example when the disk is full.
    """
    path = folder / file_name(notification.pk)
    if path.exists():
        if _digest_of_text(path) != digest:
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
            archive.writelines(canonical_text(notification))
        if _digest_of_text(partial) != digest:
            raise NotArchivable(
                f"Notification {notification.pk} differs from its seal. Run manage.py "
                f"verify_history --notification {notification.pk}."
            )
    return sha256(path)


def _digest_of_text(path: Path) -> str:
    """SHA-256 of the decompressed text; empty when the file cannot be decompressed."""
    try:
        with gzip.open(path) as text:
            return hashlib.file_digest(text, "sha256").hexdigest()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return ""
