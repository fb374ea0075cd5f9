"""Rows straight into their tables, and nothing else.

A model for each row costs more than all the rest of a sync, in a process that sends at
the same time: three rows for each of 100,000 groups. Values are as the database keeps
them; ``stored`` makes them so where they differ.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from notifications.models import ChatGroup, SyncItem


def stored(model: type[Model], name: str, value: Any) -> Any:
    """``value`` as the column of the field ``name`` takes it."""
    return model._meta.get_field(name).get_db_prep_save(value, connection)  # type: ignore[union-attr]  # a column


def insert(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert ``rows``, whose values stand in the order of the fields ``names``."""
    columns = ", ".join(_column(model, name) for name in names)
    marks = "(" + ", ".join(["%s"] * len(names)) + ")"
    sql = f"INSERT INTO {_table(model)} ({columns}) VALUES "  # noqa: S608  names of ours
    if connection.vendor != "postgresql":
        _many(sql + marks, rows)
        return
    # One statement for all: there each one costs a message to the server.
    given = list(rows)
    if given:
        with connection.cursor() as cursor:
            values = [value for row in given for value in row]
            cursor.execute(sql + ", ".join([marks] * len(given)), values)


def update(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Set the fields ``names``; behind their values stands the primary key."""
    sets = ", ".join(f"{_column(model, name)} = %s" for name in names)
    _many(f"UPDATE {_table(model)} SET {sets} WHERE id = %s", rows)  # noqa: S608  likewise


def insert_items(sync_id: int, group_ids: Sequence[str]) -> None:
    """One statement for all; IDs that are there already are left alone."""
    each = (
        "jsonb_array_elements_text(%s::jsonb) AS each(value)"
        if connection.vendor == "postgresql"
        else "json_each(%s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(SyncItem)} (sync_id, group_id, is_done) "  # noqa: S608  names of ours
            f"SELECT %s, value, %s FROM {each} WHERE true ON CONFLICT DO NOTHING",
            [sync_id, False, json.dumps(group_ids)],
        )


def refresh_statistics() -> None:
    """For PostgreSQL, which takes a table that was empty a minute ago for empty.

    It then reads all of it for each of the groups that a sync looks up.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"ANALYZE {_table(SyncItem)} (group_id), {_table(ChatGroup)} (group_id)"
            )


def _many(sql: str, rows: Iterable[Sequence[Any]]) -> None:
    given = list(rows)
    if given:
        with connection.cursor() as cursor:
            cursor.executemany(sql, given)


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(str(model._meta.get_field(name).column))  # type: ignore[union-attr]  # a column
