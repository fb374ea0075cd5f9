"""Values that SQLite stores in another type than that of their column.

SQLite accepts any type in any column. The bytes ``x'30'`` in a column of integers, or a
key that occurs twice in JSON, read like the right value, so the canonical text may not
change. PostgreSQL checks types itself, and stores JSON without duplicate keys.
"""

from collections.abc import Iterator, Sequence

from django.db import connection, models

from notifications.db.sql import quoted_table
from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DraftVersion,
    Notification,
    Seal,
    Tally,
)

# Conditions on a column that hold for a value of the right type.
_IS_TEXT = "typeof({0}) = 'text'"
_IS_TIME = f"{_IS_TEXT} AND datetime({{0}}) IS NOT NULL"
_IS_UUID = f"{_IS_TEXT} AND length({{0}}) = 32 AND {{0}} NOT GLOB '*[^0-9a-f]*'"
_IS_JSON = (
    f"{_IS_TEXT} AND json_valid({{0}}) AND NOT EXISTS "  # noqa: S608  names of the model
    "(SELECT 1 FROM json_tree({0}) GROUP BY parent, key HAVING COUNT(*) > 1)"
)
_IS_BYTES = "typeof({0}) = 'blob'"
_IS_INTEGER = "typeof({0}) = 'integer'"

# The first that matches: a class may be derived from another one of the list.
_CONDITIONS: Sequence[tuple[type["models.Field[object, object]"], str]] = [
    (models.DateTimeField, _IS_TIME),
    (models.UUIDField, _IS_UUID),
    (models.JSONField, _IS_JSON),
    (models.BinaryField, _IS_BYTES),
    (models.CharField, _IS_TEXT),
    (models.TextField, _IS_TEXT),
    (models.IntegerField, _IS_INTEGER),
    (models.BooleanField, _IS_INTEGER),
]


def wrong_types_of_chain() -> Iterator[str]:
    """Sentences about seals, result counts, archives and versions of drafts."""
    yield from _sentences("seal", Seal)
    yield from _sentences("tally", Tally)
    yield from _sentences("archive", Archive)
    yield from _sentences("version of a draft", DraftVersion)


def wrong_types_of_notification(number: int) -> Iterator[str]:
    """Sentences about a notification, its deliveries and attempts."""
    of_it = f"(SELECT id FROM {quoted_table(Delivery)} WHERE notification_id = %s)"  # noqa: S608  a name of a model
    yield from _sentences("notification", Notification, "id = %s", [number])
    yield from _sentences("delivery", Delivery, "notification_id = %s", [number])
    yield from _sentences("attempt", Attempt, f"delivery_id IN {of_it}", [number])


def wrong_types_of_entries(first: int, last: int) -> Iterator[str]:
    """Sentences about the audit entries with these ids."""
    yield from _sentences(
        "audit entry", AuditEntry, "id BETWEEN %s AND %s", [first, last]
    )


def _sentences(
    noun: str,
    model: type[models.Model],
    where: str = "TRUE",
    parameters: Sequence[int] = (),
) -> Iterator[str]:
    """One sentence for each row with such a column, in the order of the ids."""
    if connection.vendor != "sqlite":
        return
    wrong = {
        field.column: f"{column} IS NOT NULL AND NOT ({condition.format(column)})"
        for field in model._meta.concrete_fields
        if (condition := _condition(field))
        and (column := connection.ops.quote_name(field.column))
    }
    cases = " ".join(
        f"WHEN {is_wrong} THEN '{name}'" for name, is_wrong in wrong.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, wrong FROM (SELECT id, CASE {cases} END AS wrong "  # noqa: S608  names of the model
            f"FROM {quoted_table(model)} WHERE {where}) WHERE wrong IS NOT NULL ORDER BY id",
            parameters,
        )
        for number, column in cursor:
            yield f"{noun} {number}: the value of {column} has a wrong type."


def _condition(field: "models.Field[object, object]") -> str:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return next((text for kind, text in _CONDITIONS if isinstance(field, kind)), "")
