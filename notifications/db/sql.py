"""Building blocks of statements: quoted names, rows out of JSON, inserts and updates.

A model for each row costs more than all the rest of a sync or an import, and so does a
parameter for each value: rows go to the database as one JSON array of arrays. All of
them take the present transaction of the default database.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import CharField, Field, Model, TextField


def quoted_table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def quoted_column(model: type[Model], name: str) -> str:
    """The column of the field ``name``."""
    return connection.ops.quote_name(_field(model, name).column)


def stored(model: type[Model], name: str, value: Any) -> Any:
    """``value`` as the column of the field ``name`` takes it."""
    return _field(model, name).get_db_prep_save(value, connection)


def json_rows() -> str:
    """An item for FROM: the rows of a parameter that is a JSON array of arrays."""
    if connection.vendor == "postgresql":
        return "jsonb_array_elements(%s::jsonb) AS new"
    return "json_each(%s) AS new"


def json_cell(place: int, model: type[Model], name: str) -> str:
    """The value at ``place`` of such a row, as the column of the field ``name`` takes it."""
    if connection.vendor != "postgresql":
        return f"json_extract(value, '$[{place:d}]')"
    field = _field(model, name)
    # No cast of a text: it would cut off what is too long for the column.
    cast_to = (
        "" if isinstance(field, CharField | TextField) else field.db_type(connection)
    )
    return f"(value ->> {place:d})::{cast_to}" if cast_to else f"value ->> {place:d}"


def insert_select(
    model: type[Model],
    names: Iterable[str],
    select: str,
    parameters: Sequence[Any],
    *,
    on_conflict: str = "",
) -> int:
    """Insert what ``select`` gives for the fields ``names``; returns how many rows.

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

    They are JSON values as the columns take them; ``same`` has the fields whose value
    is the same in all rows. One statement: on PostgreSQL each is a message to a server.
    """
    if not rows:
        return
    cells = [json_cell(place, model, name) for place, name in enumerate(names)]
    select = ", ".join([*cells, *["%s"] * len(same)])
    values = [stored(model, name, value) for name, value in same.items()]
    insert_select(
        model,
        [*names, *same],
        f"SELECT {select} FROM {json_rows()} WHERE true",  # noqa: S608  names of fields
        [*values, json.dumps(rows)],
        on_conflict=on_conflict,
    )


def update(
    model: type[Model], names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Set the fields ``names``; the last value of each row is the primary key."""
    if not rows:
        return
    values = ", ".join(f"{quoted_column(model, name)} = %s" for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quoted_table(model)} SET {values} WHERE id = %s",  # noqa: S608  likewise
            rows,
        )


def lock_tables(*models: type[Model]) -> None:
    """Only this transaction changes these tables until it ends; all can be read.

    On SQLite every transaction begins like that.
    """
    if connection.vendor == "postgresql":
        tables = ", ".join(quoted_table(model) for model in models)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")


def refresh_statistics(model: type[Model], name: str) -> None:
    """For PostgreSQL, which takes a table that was empty a minute ago for empty.

    It then reads all of it for each value of the field ``name`` that is looked up.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"ANALYZE {quoted_table(model)} ({quoted_column(model, name)})"
            )


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(name))
