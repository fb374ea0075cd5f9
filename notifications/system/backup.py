"""Copy the SQLite database while the pages and the workers use it.

The copy is a snapshot: a read transaction stays open while the pages are copied, so
concurrent writes neither wait nor restart the copy (source:
https://sqlite.org/c3ref/backup_finish.html). The write-ahead log (``-wal``), which grows
meanwhile, is moved into the database afterwards.
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

PAGES_PER_STEP = 1000  # 4 MB with SQLite's default page size
# Gives the worker, whose commits wait for the disk, access to it.
PAUSE_SECONDS = 0.02
ONE_MEGABYTE = 1024 * 1024
NAME = re.compile(r"notifier-\d{8}T\d{6}Z\.sqlite3")


class CannotBackUp(Exception):
    """Nothing was written. The message describes what to do instead."""


class CopyIsBroken(Exception):
    """The copy was corrupt, and was removed."""


@dataclass(frozen=True, slots=True)
class Backup:
    """``size`` in bytes, ``digest`` as SHA-256, ``head`` of the newest seal in the copy."""

    path: Path
    size: int
    digest: str
    head: str
    removed: list[Path]


def database_file() -> Path:
    """The path of the database. Raises ``CannotBackUp`` if it is not a file."""
    if connection.vendor != "sqlite":
        raise CannotBackUp(
            "This database is PostgreSQL, which has its own programs: use pg_dump or "
            "pg_basebackup, see docs/backup.md."
        )
    path = Path(str(connection.settings_dict["NAME"]))
    if not path.is_file():
        raise CannotBackUp(f"There is no database at {path}. Check DATABASE_URL.")
    return path


def back_up(
    database: Path,
    folder: Path,
    *,
    keep: int = 0,
    pages_per_step: int = PAGES_PER_STEP,
) -> Backup:
    """Write ``notifier-TIME.sqlite3`` (UTC) and its digest with the suffix ``.sha256``.

    Both files get these names only when they are complete and on the disk. ``keep`` is
    the number of copies to leave in the folder, this one included; 0 leaves all. Other
    programs get the disk after each ``pages_per_step`` pages. Raises ``CannotBackUp``,
    ``CopyIsBroken``, ``OSError`` and ``sqlite3.Error``.
    """
    if not folder.is_dir():
        raise CannotBackUp(f"{folder} is not a folder. Create it first.")
    target = folder / f"notifier-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite3"
    # Private, since it contains digests of passwords.
    with durable_file(target, private=True) as partial:
        _copy(database, partial, pages_per_step)
        head = _check(partial)
        digest = sha256(partial)
        # The digest gets its name before the copy, so that no copy is without a digest.
        with durable_file(_digest_path(target)) as digest_file:
            digest_file.write_text(f"{digest}  {target.name}\n")  # for sha256sum -c
    size = target.stat().st_size
    return Backup(target, size, digest, head, _remove_old(folder, keep))


def _digest_path(copy: Path) -> Path:
    return copy.with_name(copy.name + ".sha256")


def _copy(database: Path, partial: Path, pages_per_step: int) -> None:
    with (
        closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as source,
        closing(sqlite3.connect(partial)) as target,
    ):
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master")  # takes the snapshot
        (pages,) = source.execute("PRAGMA page_count").fetchone()
        (page_size,) = source.execute("PRAGMA page_size").fetchone()
        _require_space(partial.parent, pages * page_size)
        source.backup(target, pages=pages_per_step, sleep=PAUSE_SECONDS)
        source.execute("ROLLBACK")
        # Keep everything in one file, without a separate log.
        target.execute("PRAGMA journal_mode=DELETE")


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CannotBackUp(
            f"{folder} has {free // ONE_MEGABYTE} MB free, and the copy takes "
            f"{needed // ONE_MEGABYTE + 1} MB. Free some space, or use another folder."
        )


def _check(partial: Path) -> str:
    """Check the copy and return its head of the seals. Raises ``CopyIsBroken``."""
    with closing(sqlite3.connect(partial)) as copy:
        (problem,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if problem != "ok":
            raise CopyIsBroken(
                f"The copy is corrupt ({problem}) and was removed. Check the disk, and "
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
        _digest_path(path).unlink(missing_ok=True)
    return old
