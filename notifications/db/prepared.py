"""Statements with a fixed text, passed to the driver directly.

A worker makes the same ten statements forty times a second. Django would build each of
them anew, which takes several times as long as the database needs for them. A statement
with one text keeps its plan: in the cache of sqlite3, and prepared by PostgreSQL.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection

Row = tuple[Any, ...]


def execute(sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """Run a statement of the default database; return its rows, if it has any.

    ``?`` stands for a value. Raises Django's errors of databases.
    """
    connection.ensure_connection()
    if connection.queries_logged or connection.execute_wrappers:
        with connection.cursor() as cursor:
            cursor.execute(_with_percent(sql), values)
            return cursor.fetchall() if cursor.description else []
    with connection.wrap_database_errors:
        if connection.vendor == "sqlite":
            rows: list[Row] = connection.connection.execute(sql, values).fetchall()
            return rows
        return _execute_prepared(_with_percent(sql), values)


def _execute_prepared(sql: str, values: Sequence[Any]) -> list[Row]:
    from psycopg import Cursor  # noqa: PLC0415  is not installed without PostgreSQL

    with Cursor(connection.connection) as cursor:
        cursor.execute(sql, values, prepare=True)
        return cursor.fetchall() if cursor.description else []


def moment(value: datetime) -> Any:
    """The time as a value of a statement."""
    if connection.vendor == "sqlite":
        return connection.ops.adapt_datetimefield_value(value)
    return value


def table_of(
    rows: Sequence[Sequence[Any]], types: Sequence[str]
) -> tuple[str, list[Any]]:
    """A FROM item with the columns c0, c1, … of these rows, and its values.

    ``types`` are those of PostgreSQL. The text is the same for any number of rows.
    """
    names = [f"c{index}" for index in range(len(types))]
    if connection.vendor == "sqlite":
        cells = ", ".join(
            f"json_extract(value, '$[{index}]') AS {name}"
            for index, name in enumerate(names)
        )
        item = f"(SELECT {cells} FROM json_each(?)) AS new"  # noqa: S608  no user input
        return item, [json.dumps(rows)]
    arrays = ", ".join(f"?::{type_name}[]" for type_name in types)
    columns = [list(column) for column in zip(*rows, strict=True)]
    return f"unnest({arrays}) AS new ({', '.join(names)})", columns


def among(
    values: Sequence[int] | Sequence[str], type_name: str = "bigint"
) -> tuple[str, list[Any]]:
    """The end of a condition on a column, and its value."""
    if connection.vendor == "sqlite":
        return "IN (SELECT value FROM json_each(?))", [json.dumps(list(values))]
    return f"= ANY(?::{type_name}[])", [list(values)]


def for_update(*, skip_locked: bool = False) -> str:
    """Locks the rows of a SELECT; SQLite has locked the database already."""
    if connection.vendor == "sqlite":
        return ""
    return " FOR UPDATE SKIP LOCKED" if skip_locked else " FOR UPDATE"


@cache
def _with_percent(sql: str) -> str:
    return sql.replace("?", "%s")
