"""Rows of the record whose values cannot be read, for example invalid UTF-8 on SQLite.

Reading one row of a query that cannot be read raises an error for the whole query. Here
the other rows are read, and the sentence about that row names its column.
"""

import json
from array import array
from collections.abc import Iterator, Mapping
from typing import TypeVar

from django.db import models
from django.db.models import Model, QuerySet

from notifications.db.row_errors import ROW_ERRORS, is_outage
from notifications.record.stored_types import noun_of

M = TypeVar("M", bound=Model)

BLOCK = 500  # rows


class Reader:
    """Reads rows, and leaves out those that cannot be read: ``sentences`` names them.

    ``wrong_types`` are rows that count as unreadable, by id.
    """

    def __init__(
        self, wrong_types: Mapping[type[Model], dict[int, str]] | None = None
    ) -> None:
        self._wrong_types = wrong_types or {}
        self.sentences = [
            sentence
            for sentences in self._wrong_types.values()
            for sentence in sentences.values()
        ]

    def all(self, query: QuerySet[M]) -> list[M]:
        """Read a few rows with one query."""
        readable = self._of_right_types(query)
        try:
            return [_checked(row) for row in readable]
        except ROW_ERRORS:
            return list(self.rows(query))

    def rows(self, query: QuerySet[M]) -> Iterator[M]:
        """Read many rows, in the order of the query."""
        for row in _rows_and_sentences(self._of_right_types(query)):
            if isinstance(row, str):
                self.sentences.append(row)
            else:
                yield row

    def _of_right_types(self, query: QuerySet[M]) -> QuerySet[M]:
        return query.exclude(pk__in=self._wrong_types.get(query.model, ()))


def unreadable_values(query: QuerySet[M]) -> Iterator[str]:
    """A sentence for each row of the query that cannot be read, with the first column.

    Raises the error of the database if the cause is no value.
    """
    for row in _rows_and_sentences(query):
        if isinstance(row, str):
            yield row


def _rows_and_sentences(query: QuerySet[M]) -> Iterator[M | str]:
    # Plain numbers, 8 bytes each: there may be a million.
    numbers = array("q", query.values_list("pk", flat=True).iterator())
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        try:
            rows: list[M | str] = [_checked(row) for row in query.filter(pk__in=block)]
        except ROW_ERRORS:
            rows = [_row_or_sentence(query, number) for number in block]
        yield from rows


def _checked(row: M) -> M:
    """The row. Raises an error if a value of it cannot be written as JSON in UTF-8."""
    for field in row._meta.concrete_fields:
        if not isinstance(field, models.BinaryField):
            _encode(getattr(row, field.attname))
    return row


def _encode(value: object) -> None:
    json.dumps(value, ensure_ascii=False, default=str).encode()


def _row_or_sentence(query: QuerySet[M], number: int) -> M | str:
    try:
        return _checked(query.get(pk=number))
    except ROW_ERRORS:
        for field in query.model._meta.concrete_fields:
            if _is_unreadable(field, number):
                return (
                    f"{noun_of(query.model)} {number}: the value of {field.column} "
                    "cannot be read."
                )
        raise


def _is_unreadable(field: "models.Field[object, object]", number: int) -> bool:
    """Raises the error if it is an outage of the database."""
    query = field.model._base_manager.filter(pk=number)
    try:
        _encode(query.values_list(field.attname, flat=True).get())
    except ROW_ERRORS:
        if is_outage():
            raise
        return True
    return False
