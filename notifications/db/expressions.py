"""Expressions for the ORM whose SQL differs between the databases."""

import json
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, BooleanField, Func, TextField
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, list[Any]]


class InList(Func):
    """Test whether a column has one of ``values``; use it in ``filter()``.

    All values are one parameter: SQLite accepts 250,000 variables in one statement,
    older builds 999, and ``IN (…)`` with 100,000 is slow on both databases.
    """

    output_field = BooleanField()

    def __init__(
        self, column: str | Func, values: Sequence[str] | Sequence[int], **extra: Any
    ) -> None:
        super().__init__(column, **extra)
        self.values = list(values)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_extra: Any
    ) -> Sql:
        column, parameters = compiler.compile(self.source_expressions[0])
        sql = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608  no user input
        return sql, [*parameters, json.dumps(self.values)]

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_extra: Any
    ) -> Sql:
        column, parameters = compiler.compile(self.source_expressions[0])
        # Not the type of the column: a cast to varchar would shorten the texts.
        of_text = all(isinstance(value, str) for value in self.values)
        type_name = "text" if of_text else "bigint"
        return f"{column} = ANY(%s::{type_name}[])", [*parameters, self.values]


class JoinedTexts(Aggregate):
    """Join all texts into one: fetching a row for each would dominate the cost."""

    function = "STRING_AGG"
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        extra["function"] = "GROUP_CONCAT"
        sql, parameters = self.as_sql(compiler, connection, **extra)
        return sql, list(parameters)
