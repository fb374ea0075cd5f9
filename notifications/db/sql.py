"""Building blocks of statements: quoted names, rows from JSON, and inserts.

One model instance per row, or one parameter per value, would dominate the cost of a sync
or an import. So rows are passed to the database as one JSON array of arrays. All
functions use the current transaction of the default database.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import CharField, Field, Model, TextField

# ``record/guards/privileges.py`` creates it: only the owner of a table can ANALYZE it.
STATISTICS_FUNCTION = "notifier_refresh_statistics"


def quoted_table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def quoted_column(model: type[Model], name: str) -> str:
    """Return the quoted column of the field ``name``."""
    return connection.ops.quote_name(_field(model, name).column)


def stored(model: type[Model], name: str, value: Any) -> Any:
    """Convert ``value`` to the database value of the field ``name``."""
    return _field(model, name).get_db_prep_save(value, connection)


def json_rows() -> str:
    """Return a FROM item: the rows of a parameter that is a JSON array of arrays."""
    if connection.vendor == "postgresql":
        return "jsonb_array_elements(%s::jsonb) AS new"
    return "json_each(%s) AS new"


def json_cell(index: int, model: type[Model], name: str) -> str:
    """Return SQL for the value at ``index`` of such a row, typed for the field ``name``."""
    if connection.vendor != "postgresql":
        return f"json_extract(value, '$[{index:d}]')"
    field = _field(model, name)
    # Do not cast text: a cast would truncate a value that is too long for the column.
    cast_to = (
        "" if isinstance(field, CharField | TextField) else field.db_type(connection)
    )
    return f"(value ->> {index:d})::{cast_to}" if cast_to else f"value ->> {index:d}"


def insert_select(
    model: type[Model],
    names: Iterable[str],
    select: str,
    parameters: Sequence[Any],
    *,
    on_conflict: str = "",
) -> int:
    """Insert the result of ``select`` into the fields ``names``. Return the row count.

    ``on_conflict``, such as ``DO NOTHING``, needs a WHERE in ``select`` on SQLite.
    """
    columns = ", ".join(quoted_column(model, name) for name in names)
    sql = f"INSERT INTO {quoted_table(model)} ({columns}) {select}"
    if on_conflict:
        sql += f" ON CONFLICT {on_conflict}"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def insert_json(
    model: type[Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    same: Mapping[str, Any],
    on_conflict: str = "",
) -> None:
    """Insert ``rows``, whose values are in the order of the fields ``names``.

    The values are JSON values that suit the columns; ``same`` holds fields that have the
    same value in all rows. Runs one statement, since each is a round trip on PostgreSQL.
    """
    if not rows:
        return
    cells = [json_cell(index, model, name) for index, name in enumerate(names)]
    select = ", ".join([*cells, *["%s"] * len(same)])
    values = [stored(model, name, value) for name, value in same.items()]
    insert_select(
        model,
        [*names, *same],
        f"SELECT {select} FROM {json_rows()} WHERE true",  # noqa: S608  field names
        [*values, json.dumps(rows)],
        on_conflict=on_conflict,
    )


def lock_tables(*models: type[Model], shared: bool = False) -> None:
    """Block writes to these tables by other transactions until this one ends.

    ``shared`` blocks only the transactions that block writes. A transaction that locks
    rows of such tables calls it before its first row lock, with the tables in the same
    order: otherwise it could hold a row that the other one needs, and wait for its table.
    On SQLite every transaction blocks other writers anyway.
    """
    if connection.vendor == "postgresql":
        tables = ", ".join(quoted_table(model) for model in models)
        mode = "ROW EXCLUSIVE" if shared else "SHARE ROW EXCLUSIVE"
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN {mode} MODE")


def refresh_statistics(model: type[Model], name: str) -> None:
    """Analyze the field ``name`` on PostgreSQL, after a table was filled.

    Otherwise the planner assumes an empty table and reads all rows for each lookup.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {STATISTICS_FUNCTION}(%s::regclass, %s)",
                [quoted_table(model), _field(model, name).column],
            )


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(name))
