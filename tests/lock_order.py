"""Checks the locks of each transaction on PostgreSQL against docs/internals.md.

Two transactions that lock rows in the same order never wait for each other. Locks that
skip locked rows do not wait and are not checked. On SQLite, a transaction locks the whole
database at its beginning.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from notifications import statements
from notifications.groups.sync import statements as sync_statements

DOCUMENT = Path(__file__).parent.parent / "docs" / "internals.md"
ROW_LOCK = re.compile(
    r'FROM "(\w+)".* FOR (?:NO KEY )?UPDATE( SKIP LOCKED)?', re.DOTALL
)
# Several rows are locked in the order of their keys. Others lock one row: a condition with
# the key, or the limits of ``first`` and ``get``.
IN_ORDER = r'ORDER BY (?:"{table}"\."id"|1) ASC|"{table}"\."id" = %s|LIMIT (?:1|21) FOR'


def documented_order() -> list[str]:
    """The tables in the order of the list in "Order of locks"."""
    text = DOCUMENT.read_text("utf-8").partition("## Order of locks")[2]
    lines = re.findall(r"^\d+\. .*$", text.partition("\n## ")[0], re.MULTILINE)
    names = [name for line in lines for name in re.findall(r"`(\w+)`", line)]
    models = {model.__name__: model for model in apps.get_models()}
    return [models[name]._meta.db_table for name in names]


@contextmanager
def collected_faults() -> Iterator[list[str]]:
    """Collect the locks that are out of order while the block runs."""
    faults: list[str] = []
    order = documented_order()
    execute, set_autocommit = CursorWrapper.execute, BaseDatabaseWrapper.set_autocommit

    def checking(cursor: Any, sql: Any, params: Any = None) -> Any:
        result = execute(cursor, sql, params)
        _check(cursor.db, str(sql), order, faults)
        return result

    def beginning(database: Any, *arguments: Any, **named: Any) -> None:
        database.locked_tables = set()
        set_autocommit(database, *arguments, **named)

    execute_prepared = statements.execute

    def checking_prepared(sql: str, values: Any = ()) -> Any:
        rows = execute_prepared(sql, values)
        _check(connections["default"], sql, order, faults)
        return rows

    with (
        patch.object(statements, "execute", checking_prepared),
        patch.object(sync_statements, "execute", checking_prepared),
        patch.object(CursorWrapper, "execute", checking),
        patch.object(BaseDatabaseWrapper, "set_autocommit", beginning),
    ):
        yield faults


def _check(database: Any, sql: str, order: list[str], faults: list[str]) -> None:
    row_lock = ROW_LOCK.search(sql)
    if connection.vendor != "postgresql" or not row_lock or row_lock[2]:
        return
    table = row_lock[1]
    locked = vars(database).setdefault("locked_tables", set())
    if table not in order:
        faults.append(f"{table} is not in the list of {DOCUMENT.name}.")
        return
    later = [one for one in locked if order.index(one) > order.index(table)]
    if later and table not in locked:
        faults.append(f"{table} is locked after {', '.join(later)}.")
    if not re.search(IN_ORDER.format(table=table), sql, re.DOTALL):
        faults.append(f"The order of the rows is not set: {sql}")
    locked.add(table)
