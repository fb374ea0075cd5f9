"""Archive files: the sealed text of a notification, compressed, outside the database.

The file takes its name only when it is whole, on the disk, and read back: a crash leaves
either no file of that name or a right one, and a second run goes on with it.
"""

import fcntl
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifications.models import Notification
from notifications.record.canonical_text import sealed_text

# Nearly as small as with 9, in a third of the time.
COMPRESSION = 6


class NotArchivable(Exception):
    """A sentence that says why nothing was removed, and what to do."""


@contextmanager
def folder_of_its_own(folder: Path) -> Iterator[None]:
    """Only one run at a time writes into a folder; a killed one holds it no longer.

    Raises ``NotArchivable`` while another is at work, ``OSError`` where there is no such
    folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotArchivable(
                f"Another archive_history is writing into {folder}. Wait for its end."
            ) from None
        yield
    finally:
        os.close(handle)


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
        return _digest_of_file(path)
    partial = path.with_name(path.name + ".partial")
    try:
        _write(notification, partial)
        if _digest_of_text(partial) != digest:
            raise NotArchivable(
                f"Notification {notification.pk} is not what was sealed. Run manage.py "
                f"verify_history --notification {notification.pk}."
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _to_disk(folder)
    return _digest_of_file(path)


def _write(notification: Notification, path: Path) -> None:
    """Without a time and a name in it: the same text gives the same file."""
    with path.open("wb") as raw:
        with gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as packed:
            packed.writelines(sealed_text(notification))
        raw.flush()
        os.fsync(raw.fileno())


def _to_disk(folder: Path) -> None:
    """The new name of the file as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest_of_text(path: Path) -> str:
    """Of what is packed in the file; empty when it cannot be unpacked."""
    try:
        with gzip.open(path) as text:
            return hashlib.file_digest(text, "sha256").hexdigest()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return ""


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
