"""Dumps of the databases of releases: text that both SQLite and PostgreSQL can load.

    <release>/sqlite.sql.gz, postgresql.sql.gz
    <release>/archive/       the files of ``archive_history``, equal for both
    <release>/head           the head of the newest seal, equal for both
    <release>/migrations     their SHA-256, for ``sha256sum -c``

A dump contains no owner and no privileges: any role can load it.
"""

import gzip
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

FOLDER = Path(__file__).parent
RELEASES = sorted(path.parent.name for path in FOLDER.glob("*/head"))

# Commands of psql, comments with the versions of the programs, and a parameter that
# PostgreSQL 15 and 16 do not have.
_OMITTED = re.compile(r"^(\\|--|SET transaction_timeout\b)")


def write(vendor: str, database: dict[str, Any], folder: Path) -> None:
    """Dump a database. ``database`` has the keys of Django's ``settings_dict``."""
    lines = {"sqlite": _sqlite_lines, "postgresql": _postgresql_lines}[vendor]
    text = "".join(f"{line}\n" for line in lines(database))
    path = folder / f"{vendor}.sql.gz"
    # No time in the header: the same rows give the same file.
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def load(vendor: str, database: dict[str, Any], release: str) -> None:
    """Load a dump into an empty database."""
    text = gzip.decompress(
        (FOLDER / release / f"{vendor}.sql.gz").read_bytes()
    ).decode()
    if vendor == "sqlite":
        with closing(sqlite3.connect(database["NAME"])) as session:
            session.executescript(text)
    else:
        with psycopg.connect(address(database)) as session:
            session.execute(text.encode())


def _sqlite_lines(database: dict[str, Any]) -> Iterator[str]:
    with closing(sqlite3.connect(database["NAME"])) as session:
        yield from session.iterdump()


def _postgresql_lines(database: dict[str, Any]) -> Iterator[str]:
    command = [
        "pg_dump",
        "--inserts",
        "--rows-per-insert=100",
        "--no-owner",
        "--no-privileges",
    ]
    dump = subprocess.run(  # noqa: S603  a constant command
        [*command, address(database)], check=True, stdout=subprocess.PIPE, text=True
    )
    return (
        line for line in dump.stdout.split("\n") if line and not _OMITTED.match(line)
    )


def address(database: dict[str, Any]) -> str:
    """The connection string for a PostgreSQL database."""
    keys = {
        "HOST": "host",
        "PORT": "port",
        "USER": "user",
        "PASSWORD": "password",
        "NAME": "dbname",
    }
    values = {key: str(database[name]) for name, key in keys.items() if database[name]}
    return psycopg.conninfo.make_conninfo(**values)
