"""Random edits by SQL: tables, columns and operations are chosen by a seeded generator."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.db.models import Model, QuerySet

from notifications.models import AuditEntry, Seal
from tests.factories import MOMENT

IS_SQLITE = connection.vendor == "sqlite"

Values = dict[str, Any]  # by name of the field


@dataclass(frozen=True)
class Table:
    """``names`` of a row, one of which must be in a difference.

    ``rows`` are those that verification covers. ``without`` are fields that no page,
    export or evidence shows.
    """

    names: Callable[[Any], Sequence[str]]
    rows: Callable[[], QuerySet[Any]]
    without: Sequence[str] = ()
    operations: Sequence[str] = (
        "change",
        "copy",
        "retype",
        "spoil",
        "delete",
        "insert",
    )
    weight: int = 1


@dataclass(frozen=True)
class Edit:
    """``names`` of the row before and after."""

    model: type[Model] | None  # None for a guard
    operation: str
    detail: str
    names: Sequence[str]


def random_edit(tables: dict[type[Model], Table], random: Random) -> Edit:
    """Make one edit that no constraint of the database refuses."""
    weights = [table.weight for table in tables.values()]
    while True:
        (model,) = random.choices(list(tables), weights)
        try:
            with transaction.atomic():
                if edit := _edit(model, tables[model], random):
                    return edit
        except DatabaseError:
            continue


def _edit(model: type[Model], table: Table, random: Random) -> Edit | None:
    rows = list(table.rows().order_by("pk"))
    row = random.choice(rows)
    names = list(table.names(row))
    operation = random.choice(table.operations)
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.name not in table.without
    ]
    if operation == "delete":
        if model is Seal and row.number == Seal.objects.count():
            return None  # found only with a head that was kept elsewhere
        _run(f'DELETE FROM "{model._meta.db_table}" WHERE id = %s', [row.pk])  # noqa: S608  names of the models
        return Edit(model, operation, f"{row.pk}", names)
    if operation == "insert":
        pk, detail = _insert(row, random)
    elif operation in ("retype", "spoil"):
        store = _retype if operation == "retype" else _spoil
        pk, detail = row.pk, store(row, random.choice(fields), random)
    else:
        values = (
            _changed(row, random.choice(fields), random)
            if operation == "change"
            else _copied(row, random.choice(rows), fields, random)
        )
        pk, detail = values.get("id", row.pk), f"{values}" if values else ""
        _update(row, values)
    if not detail:
        return None
    if operation not in ("retype", "spoil"):
        names += table.names(model._base_manager.get(pk=pk))
    return Edit(model, operation, f"{row.pk}: {detail}", names)


def _run(statement: str, values: Sequence[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


def _update(row: Model, values: Values) -> None:
    if values:
        fields = [row._meta.get_field(name) for name in values]
        sets = ", ".join(f'"{field.column}" = %s' for field in fields)
        stored = [_stored(field, values[field.name]) for field in fields]
        _run(
            f'UPDATE "{row._meta.db_table}" SET {sets} WHERE id = %s',  # noqa: S608  likewise
            [*stored, row.pk],
        )


def _stored(field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


def _value(row: Model, field: Any) -> Any:
    value = getattr(row, field.attname)
    return bytes(value) if isinstance(field, models.BinaryField) else value


def _changed(row: Model, field: Any, random: Random) -> Values:
    return {field.name: _another(field, _value(row, field), random)}


def _copied(row: Model, other: Model, fields: Sequence[Any], random: Random) -> Values:
    """Some values of another row: a group of them can satisfy the constraints."""
    chosen = random.sample(fields, min(len(fields), random.randint(1, 5)))
    values = {field.name: _value(other, field) for field in chosen}
    same = all(_value(row, field) == values[field.name] for field in chosen)
    return {} if same else values


def _retype(row: Model, field: Any, random: Random) -> str:
    """Store the same value in another type or form; only SQLite accepts it."""
    if not IS_SQLITE or getattr(row, field.attname) in (None, b""):
        return ""
    column = f'"{field.column}"'
    new = f"CAST({column} AS blob)"
    if isinstance(field, models.JSONField):
        if not isinstance(getattr(row, field.attname), dict):
            return ""
        new = f"""'{{"a": 1, ' || substr({column}, 2, length({column}) - 2) || ', "a": 1}}'"""
    elif isinstance(field, models.BinaryField):
        new = f"hex({column})"
    elif isinstance(field, models.DateTimeField):
        new = random.choice(
            [new, f"{column} || '+00:00'", f"replace({column}, ' ', 'T')"]
        )
    _set(row, field, new)
    return f"{field.column} as {new}"


def _spoil(row: Model, field: Any, _random: Random) -> str:
    """Store a value that Python cannot read."""
    if isinstance(field, models.JSONField):
        new = f"'[{'1' * 5000}]'"
    elif IS_SQLITE and isinstance(field, models.CharField | models.TextField):
        new = "CAST(x'41ff42' AS text)"
    elif not IS_SQLITE and isinstance(field, models.DateTimeField):
        new = "'infinity'"
    else:
        return ""
    _set(row, field, new)
    return f"{field.column} as {new[:20]}"


def _set(row: Model, field: Any, new: str) -> None:
    table = row._meta.db_table
    _run(f'UPDATE "{table}" SET "{field.column}" = {new} WHERE id = %s', [row.pk])  # noqa: S608  likewise


def _insert(row: Model, random: Random) -> tuple[int, str]:
    """Insert a copy, with other values in a field of each unique key."""
    values = {
        field.name: _value(row, field)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
    keys = [field.name for field in row._meta.concrete_fields if field.unique]
    keys += [
        constraint.fields[-1]
        for constraint in row._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    ]
    keys += [names[-1] for names in row._meta.unique_together]
    for name in set(keys) - {"id"}:
        field = row._meta.get_field(name)
        values[name] = _another(field, _value(row, field), random)
    if isinstance(row, Seal):
        values["number"] = Seal.objects.count() + 1
    if isinstance(row, AuditEntry):
        # With a higher number it is an entry that is not sealed yet.
        values["id"] = random.choice([-3, 0])
    fields = [row._meta.get_field(name) for name in values]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    (pk,) = _run(
        f'INSERT INTO "{row._meta.db_table}" ({columns}) VALUES ({places}) RETURNING id',  # noqa: S608  likewise
        [_stored(field, values[field.name]) for field in fields],
    )
    return pk, f"as {pk}"


def _another(field: Any, value: Any, random: Random) -> Any:
    """Another value that the type of the field accepts."""
    candidates = [item for item in _candidates(field, value, random) if item != value]
    return random.choice(candidates)


def _candidates(field: Any, value: Any, random: Random) -> Iterator[Any]:
    if field.null:
        yield None
    if isinstance(field, models.ForeignKey):
        keys = field.related_model._base_manager.order_by("pk").values_list(
            "pk", flat=True
        )
        yield from random.sample(list(keys), min(3, len(keys)))
    elif isinstance(field, models.BooleanField):
        yield not value
    elif isinstance(field, models.IntegerField):
        yield from ((value or 0) + step for step in (1, 7, 1000))
    elif isinstance(field, models.DateTimeField):
        yield from (
            (value or MOMENT) + timedelta(microseconds=step) for step in (1, 7 * 10**6)
        )
    elif isinstance(field, models.UUIDField):
        yield uuid.UUID(int=random.getrandbits(128))
    elif isinstance(field, models.BinaryField):
        yield value[:-1] + bytes([value[-1] ^ 1]) if value else b"1" * 12
    elif isinstance(field, models.JSONField):
        yield {"edited": 1}
        yield [*value, "x"] if isinstance(value, list) else {**(value or {}), "x": 1}
    else:
        yield from (choice for choice, _label in field.choices or ())
        limit = field.max_length or 10_000
        yield from (
            text[:limit] for text in (f"x{value}", f"{value} ", f"{value}".upper(), "")
        )
