"""Rows as lines of JSON that the database writes itself, the same on both databases."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, models

FETCHED = 500  # rows at once

NumberedLine = tuple[int, bytes]


def numbered_lines(query: str, parameters: Sequence[Any]) -> Iterator[NumberedLine]:
    """The rows of a query for a number and a line of JSON, as UTF-8 with a line end."""
    read = _copied if connection.vendor == "postgresql" else _selected
    return read(query, parameters)


def _selected(query: str, parameters: Sequence[Any]) -> Iterator[NumberedLine]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(FETCHED):
            for number, text in rows:
                yield number, text.encode() + b"\n"


def _copied(query: str, parameters: Sequence[Any]) -> Iterator[NumberedLine]:
    """COPY lets the server write the next lines while the caller uses these."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT", parameters) as copy,
    ):
        for data in copy:
            number, _tab, text = bytes(data).partition(b"\t")
            # COPY doubles each backslash; JSON has nothing else to escape.
            yield int(number), text.replace(b"\\\\", b"\\")


def text_array(
    alias: str, kind: str, fields: Iterable["models.Field[Any, Any]"]
) -> str:
    """SQL for the line of a row: a JSON array of texts without spaces, ``kind`` first."""
    cells = ", ".join(_cell(alias, field) for field in fields)
    if connection.vendor == "postgresql":
        return f"array_to_json(ARRAY['{kind}', {cells}])::text"
    return f"json_array('{kind}', {cells})"


def _cell(alias: str, field: "models.Field[Any, Any]") -> str:
    column = f"{alias}.{connection.ops.quote_name(field.column)}"
    if isinstance(field, models.DateTimeField):
        if connection.vendor == "postgresql":
            # Django keeps the connection in UTC: what is cut off is "+00".
            return f"left({column}::text, -3) || 'Z'"
        # Stored with six digits behind the second, or with none.
        text = (
            f"CASE length({column}) WHEN 19 THEN {column} ELSE rtrim({column}, '0') END"
        )
        return f"({text}) || 'Z'"
    if isinstance(field, models.CharField | models.TextField):
        return column
    return f"CAST({column} AS text)"
