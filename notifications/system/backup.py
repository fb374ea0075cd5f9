"""A copy of the SQLite database while the pages and the workers use it.

The copy is of one moment: a reading transaction is held open while the pages are copied,
so that what is written meanwhile neither waits nor makes the copy begin anew (source:
https://sqlite.org/c3ref/backup_finish.html). What the log of writes (``-wal``) grows by
meanwhile is moved into the file afterwards.
"""

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from notifications.files import durable_file, sha256
from notifications.models import Seal

PAGES_AT_ONCE = 1000  # 4 MB with pages of SQLite's usual size

# The disk is the worker's, too: a commit waits for it.
PAUSE_SECONDS = 0.02

ONE_MEGABYTE = 1024 * 1024

NAME = re.compile(r"notifier-\d{8}T\d{6}Z\.sqlite3")


class CannotBackUp(Exception):
    """The message says what to do instead. Nothing was written."""


class CopyIsBroken(Exception):
    """The copy does not hold what it should, and was removed."""


@dataclass(frozen=True, slots=True)
class Backup:
    """``size`` in bytes, ``digest`` SHA-256, ``head`` of the newest seal in it."""

    path: Path
    size: int
    digest: str
    head: str
    removed: list[Path]


def database_file() -> Path:
    """Where the database lies. Raises ``CannotBackUp`` when it is no file."""
    if connection.vendor != "sqlite":
        raise CannotBackUp(
            "This database is PostgreSQL, which brings its own programs: use pg_dump or "
            "pg_basebackup, as docs/backup.md says."
        )
    path = Path(str(connection.settings_dict["NAME"]))
    if not path.is_file():
        raise CannotBackUp(f"There is no database at {path}. Check DATABASE_URL.")
    return path


def back_up(database: Path, folder: Path, *, keep: int = 0) -> Backup:
    """Write ``notifier-TIME.sqlite3`` (UTC) and, beside it, its digest as ``.sha256``.

    Both have their names only when they are whole and on the disk. Of older copies there
    the newest ``keep`` - 1 stay; 0: all of them. Raises ``CannotBackUp``,
    ``CopyIsBroken``, ``OSError`` and ``sqlite3.Error``.
    """
    if not folder.is_dir():
        raise CannotBackUp(f"{folder} is no folder. Make it first.")
    target = folder / f"notifier-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite3"
    # Private, since it holds digests of passwords.
    with durable_file(target, private=True) as partial:
        _copy(database, partial)
        head = _check(partial)
        digest = sha256(partial)
        # First the digest, then the copy: one without the other is no backup.
        with durable_file(digest_path(target)) as line:
            line.write_text(f"{digest}  {target.name}\n")  # as sha256sum -c reads it
    size = target.stat().st_size
    return Backup(target, size, digest, head, _remove_old(folder, keep))


def digest_path(copy: Path) -> Path:
    return copy.with_name(copy.name + ".sha256")


def _copy(database: Path, partial: Path) -> None:
    with (
        closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as source,
        closing(sqlite3.connect(partial)) as target,
    ):
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master")  # the moment of the copy
        (pages,) = source.execute("PRAGMA page_count").fetchone()
        (page_size,) = source.execute("PRAGMA page_size").fetchone()
        _require_space(partial.parent, pages * page_size)
        source.backup(target, pages=PAGES_AT_ONCE, sleep=PAUSE_SECONDS)
        source.execute("ROLLBACK")
        # One file: whoever copies it on need not know of a log beside it.
        target.execute("PRAGMA journal_mode=DELETE")


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CannotBackUp(
            f"{folder} has {free // ONE_MEGABYTE} MB free, and the copy takes "
            f"{needed // ONE_MEGABYTE + 1} MB. Make room, or name another folder."
        )


def _check(partial: Path) -> str:
    """The head of the seals in the copy. Raises ``CopyIsBroken``."""
    with closing(sqlite3.connect(partial)) as copy:
        (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise CopyIsBroken(
                f"The copy is broken ({found}) and was removed. Look at the disk, and "
                "run PRAGMA integrity_check on the database itself."
            )
        newest = copy.execute(
            f"SELECT head FROM {Seal._meta.db_table} ORDER BY number DESC LIMIT 1"  # noqa: S608  a name of ours
        ).fetchone()
    return newest[0] if newest else ""


def _remove_old(folder: Path, keep: int) -> list[Path]:
    copies = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))
    old = copies[:-keep] if keep else []
    for path in old:
        path.unlink()
        digest_path(path).unlink(missing_ok=True)
    return old
