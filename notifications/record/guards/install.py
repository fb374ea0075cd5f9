"""Guards: the database refuses to change the record, SQL by hand included.

Triggers on both databases refuse what ``guard_rules`` lists. They stop mistakes, careless
SQL and a fault of our own code; they do not stop somebody who owns the database and
removes them first. What such a person changed, the seals show.

There is one door, ``lifted()``: for archiving, and for later migrations of frozen rows.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations import Migration

from notifications.db.migrations import unknown_migrations
from notifications.record.guards.triggers import LIFTED, Guard, guards

# Table, name and body of the triggers that are at work.
_PRESENT = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'",
    # Neither switched off nor narrowed by a condition.
    "postgresql": (
        "SELECT c.relname, t.tgname, p.prosrc FROM pg_trigger t "
        "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE pg_table_is_visible(c.oid) AND t.tgenabled = 'A' AND t.tgqual IS NULL"
    ),
}


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the guards that are missing or not as they should be."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        for guard in _absent(using):
            for statement in guard.statements:
                cursor.execute(statement)


def remove_before_migrate(
    using: str, plan: Iterable[tuple[Migration, bool]], **_kwargs: Any
) -> None:
    """SQLite drops no column that a trigger names, so there migrations run without.

    When one fails, the guards are missing until the next migrate, and the worker says
    so. PostgreSQL keeps them: a migration that changes frozen rows uses ``lifted()``.
    """
    is_ours = any(migration.app_label == "notifications" for migration, _ in plan)
    if is_ours and connections[using].vendor == "sqlite":
        _remove(using)


def install_after_migrate(
    using: str, plan: Iterable[tuple[Migration, bool]] = (), **_kwargs: Any
) -> None:
    """After every migrate: SQLite drops the triggers of a table that it rebuilds.

    Not after a step back: the guards would name columns that are gone, and the older
    version makes its own, if it has any, at its next migrate.
    """
    is_back = any(
        migration.app_label == "notifications" and back for migration, back in plan
    )
    if is_back:
        _remove(using)
    else:
        install(using)


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Names of guards that are missing, switched off or changed.

    Those of a table that does not exist yet are not counted. Where a newer release has
    migrated, only those are missing that are not there at all: what they refuse is that
    release's to say, for columns that this one does not know.
    """
    return [guard.name for guard in _absent(using)]


@contextmanager
def guards_disabled(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """The guarded door: within it, in this transaction alone, nothing is refused.

    Nobody else can slip through: on PostgreSQL the door is a variable of the transaction,
    which the guards ask, and no table is locked; on SQLite the triggers are away while
    this transaction holds the lock for writing. When an exception passes, what was
    done inside is undone and the guards stand again. Not to be nested.
    """
    database = connections[using]
    with transaction.atomic(using), database.cursor() as cursor:
        if database.vendor == "sqlite":
            _remove(using)
            yield
            install(using)
        else:
            cursor.execute(
                "SELECT set_config(%s, pg_current_xact_id()::text, true)", [LIFTED]
            )
            yield
            cursor.execute("SELECT set_config(%s, '', true)", [LIFTED])


def _remove(using: str) -> None:
    database = connections[using]
    with transaction.atomic(using), database.cursor() as cursor:
        tables = set(database.introspection.table_names(cursor))
        for guard in guards(database):
            if guard.table in tables:
                of = "" if database.vendor == "sqlite" else f' ON "{guard.table}"'
                cursor.execute(f'DROP TRIGGER IF EXISTS "{guard.name}"{of}')


def _absent(using: str) -> list[Guard]:
    database = connections[using]
    if database.vendor not in _PRESENT:
        return []  # none that can be used is configured; another check says so
    with database.cursor() as cursor:
        tables = set(database.introspection.table_names(cursor))
        cursor.execute(_PRESENT[database.vendor])
        present = set(cursor.fetchall())
    absent = [
        guard
        for guard in guards(database)
        if guard.table in tables
        and (guard.table, guard.name, guard.body) not in present
    ]
    if absent and unknown_migrations(using):
        there = {(table, name) for table, name, _body in present}
        absent = [guard for guard in absent if (guard.table, guard.name) not in there]
    return absent
