"""Install, remove and check the guards: triggers that refuse changes of the record.

The triggers of both databases enforce the rules in ``rules.py``, also against SQL by
hand. They stop mistakes, careless SQL and bugs of this application, and on PostgreSQL a
role that does not own the tables (``privileges.py``). They do not stop a database owner
who drops them first. Verification of the seals detects such a change.

``guards_disabled()`` is for archiving, and for later migrations of frozen rows.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations import Migration

from notifications.db.migrations import unknown_migrations
from notifications.record.guards.triggers import (
    DISABLED_VARIABLE,
    PREFIX,
    Guard,
    guards,
)

# Table, name and body of the active triggers.
_SELECT_TRIGGERS = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'",
    # The definition has the event, its columns and its condition, and names a function in
    # another schema with that schema. A function with settings of its own could set
    # ``DISABLED_VARIABLE``.
    "postgresql": (
        "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid, true) || ': ' || p.prosrc "
        "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang "
        "WHERE pg_table_is_visible(c.oid) AND t.tgenabled = 'A' "
        "AND l.lanname = 'plpgsql' AND p.proconfig IS NULL"
    ),
}

# Table and name of everything else that may change rows before they are written or read.
_SELECT_OTHERS = {
    "sqlite": (
        "SELECT tbl_name, 'trigger ' || name FROM sqlite_master WHERE type = 'trigger' "
        "UNION ALL SELECT name, 'view ' || name FROM sqlite_master WHERE type = 'view'"
    ),
    # A view in place of a table has the rule "_RETURN"; a table has none.
    "postgresql": (
        "SELECT c.relname, other.name FROM ("
        "SELECT tgrelid, 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal "
        "UNION ALL SELECT ev_class, 'rule ' || rulename FROM pg_rewrite "
        "UNION ALL SELECT polrelid, 'policy ' || polname FROM pg_policy "
        "UNION ALL SELECT oid, 'row security' FROM pg_class WHERE relrowsecurity "
        "UNION ALL SELECT inhparent, 'child table ' || inhrelid::regclass::text FROM pg_inherits"
        ") AS other (relation, name) JOIN pg_class c ON c.oid = other.relation "
        "WHERE pg_table_is_visible(c.oid)"
    ),
}


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Create the guards that are missing or changed."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        for guard in _missing_guards(using):
            for statement in guard.statements:
                cursor.execute(statement)


def remove_before_migrate(
    using: str, plan: Iterable[tuple[Migration, bool]], **_kwargs: Any
) -> None:
    """Remove the guards on SQLite, which cannot drop a column that a trigger names.

    When a migration fails, the guards are missing until the next ``migrate``, and the
    worker reports it. PostgreSQL keeps them: a migration that changes frozen rows uses
    ``guards_disabled()``.
    """
    is_ours = any(migration.app_label == "notifications" for migration, _ in plan)
    if is_ours and connections[using].vendor == "sqlite":
        _remove(using)


def install_after_migrate(
    using: str, plan: Iterable[tuple[Migration, bool]] = (), **_kwargs: Any
) -> None:
    """Install after every ``migrate``: SQLite drops the triggers of a rebuilt table.

    After a backward migration, remove them instead: they would name columns that are
    gone. The older version creates its own guards at its next ``migrate``.
    """
    if any(
        migration.app_label == "notifications" and is_backward
        for migration, is_backward in plan
    ):
        _remove(using)
    else:
        install(using)


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Names of guards that are missing, disabled or changed.

    Guards of a table that does not exist yet are ignored. After migrations of a newer
    release, a changed guard is accepted: it may protect columns unknown to this release.
    """
    return [guard.name for guard in _missing_guards(using)]


def unknown(using: str = DEFAULT_DB_ALIAS) -> list[tuple[str, str]]:
    """Table and name of triggers, rules, policies and the like on the guarded tables.

    They may change what is written, or hide what is read. After migrations of a newer
    release, triggers with the names of guards are accepted.
    """
    database = connections[using]
    if database.vendor not in _SELECT_OTHERS:
        return []
    expected = guards(database)
    tables = {guard.table for guard in expected}
    names = {(guard.table, f"trigger {guard.name}") for guard in expected}
    with database.cursor() as cursor:
        cursor.execute(_SELECT_OTHERS[database.vendor])
        others = [row for row in cursor if row[0] in tables and row not in names]
    if others and unknown_migrations(using):
        others = [row for row in others if not row[1].startswith(f"trigger {PREFIX}")]
    return sorted(others)


@contextmanager
def guards_disabled(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Disable all guards for this transaction only. Cannot be nested.

    Other transactions stay guarded. On PostgreSQL the guards read a variable of the
    transaction, which counts only for the owner of the tables, and no table is locked; on SQLite the triggers are dropped while this
    transaction holds the write lock. An exception rolls back the changes and restores the
    guards.
    """
    database = connections[using]
    with transaction.atomic(using), database.cursor() as cursor:
        if database.vendor == "sqlite":
            _remove(using)
            yield
            install(using)
        else:
            cursor.execute(
                "SELECT set_config(%s, pg_current_xact_id()::text, true)",
                [DISABLED_VARIABLE],
            )
            yield
            cursor.execute("SELECT set_config(%s, '', true)", [DISABLED_VARIABLE])


def _remove(using: str) -> None:
    database = connections[using]
    with transaction.atomic(using), database.cursor() as cursor:
        tables = set(database.introspection.table_names(cursor))
        for guard in guards(database):
            if guard.table in tables:
                table = "" if database.vendor == "sqlite" else f' ON "{guard.table}"'
                cursor.execute(f'DROP TRIGGER IF EXISTS "{guard.name}"{table}')


def _missing_guards(using: str) -> list[Guard]:
    database = connections[using]
    if database.vendor not in _SELECT_TRIGGERS:
        return []  # an unsupported database, which another check reports
    with database.cursor() as cursor:
        tables = set(database.introspection.table_names(cursor))
        cursor.execute(_SELECT_TRIGGERS[database.vendor])
        triggers = set(cursor.fetchall())
    missing = [
        guard
        for guard in guards(database)
        if guard.table in tables
        and (guard.table, guard.name, guard.body) not in triggers
    ]
    if missing and unknown_migrations(using):
        names = {(table, name) for table, name, _body in triggers}
        missing = [guard for guard in missing if (guard.table, guard.name) not in names]
    return missing
