"""Backup of an SQLite database in use: a complete snapshot with its digest."""

import hashlib
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from notifications.management.commands import backup as commands_backup
from notifications.system import backup
from notifications.system.backup import CannotBackUp, back_up, database_file
from tests.management.running import run

pytestmark = pytest.mark.one_database

# Plain files, so that the tests are the same on PostgreSQL. tests/faults runs the command
# on the database of the console.
TABLES = """
    PRAGMA journal_mode=WAL;
    CREATE TABLE notifications_seal (number INTEGER, head TEXT);
    CREATE TABLE row (id INTEGER PRIMARY KEY, filling TEXT);
"""


def write(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as session:
        session.executescript(sql)


def read(path: Path, sql: str) -> object:
    with closing(sqlite3.connect(path)) as session:
        return session.execute(sql).fetchone()[0]


@pytest.fixture
def database(tmp_path) -> Path:
    path = tmp_path / "notifier.sqlite3"
    write(path, TABLES)
    write(path, "INSERT INTO notifications_seal VALUES (1, 'aa'), (3, 'cc'), (2, 'bb')")
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "copies"
    path.mkdir()
    return path


def test_a_copy_with_its_digest_that_only_its_owner_can_read(database, folder):
    backed_up = back_up(database, folder)

    assert backup.NAME.fullmatch(backed_up.path.name)
    assert backed_up.head == "cc"
    assert backed_up.digest == hashlib.sha256(backed_up.path.read_bytes()).hexdigest()
    assert backed_up.size == backed_up.path.stat().st_size
    assert stat.S_IMODE(backed_up.path.stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == [
        backed_up.path.name,
        backed_up.path.name + ".sha256",
    ]
    line = (folder / (backed_up.path.name + ".sha256")).read_text()
    assert line == f"{backed_up.digest}  {backed_up.path.name}\n"
    assert read(backed_up.path, "PRAGMA journal_mode") == "delete"
    assert read(backed_up.path, "SELECT count(*) FROM notifications_seal") == 3


def test_it_is_a_snapshot_and_blocks_no_writer(database, folder, monkeypatch):
    usage = shutil.disk_usage(folder)

    def write_meanwhile(_folder):
        with closing(sqlite3.connect(database, timeout=0)) as other, other:
            other.execute("INSERT INTO row (filling) VALUES ('later')")
        return usage

    # The space is measured between the start of the snapshot and the first page.
    monkeypatch.setattr(shutil, "disk_usage", write_meanwhile)

    backed_up = back_up(database, folder, pages_per_step=1)

    assert read(database, "SELECT count(*) FROM row") == 1
    assert read(backed_up.path, "SELECT count(*) FROM row") == 0


def test_old_copies_are_removed_with_their_digests(database, folder):
    names = [f"notifier-2026030{n}T093000Z.sqlite3" for n in range(1, 5)]
    for name in names:
        (folder / name).touch()
        (folder / f"{name}.sha256").touch()
    (folder / "mine.sqlite3").touch()

    backed_up = back_up(database, folder, keep=2)

    assert [path.name for path in backed_up.removed] == names[:3]
    left = sorted(path.name for path in folder.glob("*.sqlite3"))
    assert left == ["mine.sqlite3", names[3], backed_up.path.name]
    assert len(list(folder.glob("*.sha256"))) == 2


def test_without_room_nothing_is_written(database, folder, monkeypatch):
    usage = type(shutil.disk_usage(folder))(10**12, 10**12, 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)

    with pytest.raises(CannotBackUp, match="has 0 MB free, and the copy takes 1 MB"):
        back_up(database, folder)

    assert list(folder.iterdir()) == []


def test_a_broken_database_leaves_no_copy(database, folder, monkeypatch):
    write(
        database, "PRAGMA journal_mode=DELETE; CREATE INDEX by_filling ON row (filling)"
    )
    write(database, "INSERT INTO row (filling) VALUES ('a'), ('b')")
    # An index without the rows of its table.
    write(
        database,
        "PRAGMA writable_schema=ON; UPDATE sqlite_master SET rootpage ="
        " (SELECT rootpage FROM sqlite_master WHERE name = 'notifications_seal')"
        " WHERE name = 'by_filling'",
    )
    monkeypatch.setattr(commands_backup, "database_file", lambda: database)

    code, out, err = run("backup", "--to", str(folder))

    assert (code, out) == (1, "")
    assert "was removed" in err
    assert list(folder.iterdir()) == []


def test_the_output_of_the_command(database, folder, monkeypatch):
    monkeypatch.setattr(commands_backup, "database_file", lambda: database)
    (folder / "notifier-20260301T093000Z.sqlite3").touch()

    code, out, err = run("backup", "--to", str(folder), "--keep", "1")

    copy, head, removed = out.splitlines()
    (path,) = folder.glob("*.sqlite3")
    assert (code, err) == (0, "")
    assert copy.startswith(f"{path} bytes={path.stat().st_size} sha256=")
    assert head == "head: cc"
    assert removed == f"removed {folder / 'notifier-20260301T093000Z.sqlite3'}"


@pytest.mark.parametrize("where", ["missing", "a-file"])
def test_the_command_refuses_what_is_no_folder(database, tmp_path, monkeypatch, where):
    monkeypatch.setattr(commands_backup, "database_file", lambda: database)
    (tmp_path / "a-file").touch()

    code, _out, err = run("backup", "--to", str(tmp_path / where))

    assert code == 2
    assert "is not a folder. Create it first." in err


@pytest.mark.parametrize("number", ["0", "-1", "all"])
def test_how_many_to_keep_is_a_number_from_one_on(folder, number):
    code, _out, err = run("backup", "--to", str(folder), "--keep", number)

    assert code == 1
    assert f"“{number}” is not a positive number." in err


def test_the_path_of_the_database(monkeypatch, tmp_path):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    path = tmp_path / "there.sqlite3"
    monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
    with pytest.raises(CannotBackUp, match=r"There is no database at .*there\.sqlite3"):
        database_file()
    path.touch()
    assert database_file() == path


def test_postgresql_is_refused(folder, monkeypatch):
    monkeypatch.setattr(connection, "vendor", "postgresql")

    code, out, err = run("backup", "--to", str(folder))

    assert (code, out) == (2, "")
    assert "pg_dump or pg_basebackup" in err
    assert list(folder.iterdir()) == []
