"""Durable files, and locks of folders."""

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
    """Yield the path of a partial file, which is renamed to ``path`` after the block.

    The content and the new name are synced to the disk. After an exception, which may be
    an ``OSError``, the partial file is deleted and ``path`` is unchanged. Processes that
    write the same file use different values of ``suffix``. ``private``: only the owner
    can read the file, and an existing partial file is not overwritten.
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

    The operating system releases the lock of a killed process.
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
    """Return the SHA-256 digest of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
