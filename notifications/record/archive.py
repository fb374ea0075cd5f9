"""Archive files: the sealed text of a notification, compressed, outside the database.

The file takes its name only when it is whole, on the disk, and read back: a crash leaves
either no file of that name or a right one, and a second run goes on with it.
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
    """A sentence that says why nothing was removed, and what to do."""


def file_name(notification: int) -> str:
    return f"notification-{notification}.jsonl.gz"


def write(notification: Notification, folder: Path, *, digest: str) -> str:
    """Write its file, or take the one that an earlier run left; read it back.

    ``digest`` is that of its seal. Returns the SHA-256 of the file in hexadecimal
    digits. Raises ``NotArchivable`` when there is another file of that name, or when the
    record is not what was sealed; ``OSError``, for example when the disk is full.
    """
    path = folder / file_name(notification.pk)
    if path.exists():
        if _digest_of_text(path) != digest:
            raise NotArchivable(
                f"{path} exists already and is not what was sealed of notification "
                f"{notification.pk}. Look what it is, move it away, and try again."
            )
        return sha256(path)
    with durable_file(path) as partial:
        _write(notification, partial)
        if _digest_of_text(partial) != digest:
            raise NotArchivable(
                f"Notification {notification.pk} is not what was sealed. Run manage.py "
                f"verify_history --notification {notification.pk}."
            )
    return sha256(path)


def _write(notification: Notification, path: Path) -> None:
    """Without a time and a name in it: the same text gives the same file."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as packed,
    ):
        packed.writelines(canonical_text(notification))


def _digest_of_text(path: Path) -> str:
    """Of what is packed in the file; empty when it cannot be unpacked."""
    try:
        with gzip.open(path) as text:
            return hashlib.file_digest(text, "sha256").hexdigest()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return ""
