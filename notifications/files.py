"""Files that survive a crash and a power cut, and folders for one process at a time."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def durable_file(
    path: Path, *, suffix: str = ".partial", private: bool = False
) -> Iterator[Path]:
    """The path of a partial file to write, which becomes ``path`` at the end of the block.

    It is on the disk by then, and so is its new name. After an exception, which may be
    an ``OSError``, it is removed and ``path`` is as before. ``suffix`` tells apart
    processes that write the same file. ``private``: only this account reads it, and a
    partial file of another run is not overwritten.
    """
    partial = path.with_name(path.name + suffix)
    exclusive, mode = (os.O_EXCL, 0o600) if private else (0, 0o666)
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY | exclusive, mode))
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked_folder(folder: Path, busy: Exception) -> Iterator[None]:
    """Lock an existing folder, or raise ``busy`` while another process holds the lock.

    The system releases the lock of a process that was killed.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """The digest of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
