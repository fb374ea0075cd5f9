"""Rows as lines of JSON, written by the database; equal on both databases."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, models

BATCH_SIZE = 500

NumberedLine = tuple[int, bytes]


def numbered_lines(query: str, parameters: Sequence[Any]) -> Iterator[NumberedLine]:
    """Return the rows of a query for a number and a line of JSON, as UTF-8 with line end."""
    fetch = _copy if connection.vendor == "postgresql" else _select
    return fetch(query, parameters)


def _select(query: str, parameters: Sequence[Any]) -> Iterator[NumberedLine]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(BATCH_SIZE):
            for number, text in rows:
                yield number, text.encode() + b"\n"


def _copy(query: str, parameters: Sequence[Any]) -> Iterator[NumberedLine]:
    """Use COPY: the server writes the next lines while the caller processes these."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT", parameters) as copy,
    ):
        for data in copy:
            number, _tab, text = bytes(data).partition(b"\t")
            # COPY doubles backslashes; it escapes nothing else in JSON.
            yield int(number), text.replace(b"\\\\", b"\\")


def text_array(
    alias: str, kind: str, fields: Iterable["models.Field[Any, Any]"]
) -> str:
    """Return SQL for a JSON array of texts without spaces, with ``kind`` first."""
    cells = ", ".join(_cell(alias, field) for field in fields)
    if connection.vendor == "postgresql":
        return f"array_to_json(ARRAY['{kind}', {cells}])::text"
    return f"json_array('{kind}', {cells})"


def _cell(alias: str, field: "models.Field[Any, Any]") -> str:
    column = f"{alias}.{connection.ops.quote_name(field.column)}"
    if isinstance(field, models.DateTimeField):
        if connection.vendor == "postgresql":
            # Django sets the connection to UTC: remove "+00".
            return f"left({column}::text, -3) || 'Z'"
        # SQLite stores six decimals of the second, or none.
        text = (
            f"CASE length({column}) WHEN 19 THEN {column} ELSE rtrim({column}, '0') END"
        )
        return f"({text}) || 'Z'"
    if isinstance(field, models.CharField | models.TextField):
        return column
    if isinstance(field, models.BooleanField) and connection.vendor == "postgresql":
        column = f"{column}::int"  # SQLite stores 0 and 1
    return f"CAST({column} AS text)"
