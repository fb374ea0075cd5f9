"""Values that SQLite stores in another type or form than the program writes.

SQLite accepts any type in any column. The bytes ``x'30'`` in a column of integers, a time
with an offset, or a key that occurs twice in JSON read like the right value, so the
canonical text may not change. PostgreSQL checks types itself, and stores times without
their text and JSON without duplicate keys.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group
from django.db import connection, models
from django.db.models.expressions import RawSQL

from notifications.db.sql import quoted_table
from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    DraftVersion,
    Notification,
    Seal,
    Tally,
)

# Conditions on a column that hold for a value of the right type.
_IS_TEXT = "typeof({0}) = 'text'"
# “2026-03-02 09:30:00”, with six decimals unless they are zeros. Without “+0 days”, SQLite
# accepts the 31st of each month.
_SECONDS = "datetime(substr({0}, 1, 19), '+0 days')"
_DECIMALS = "substr({0}, 20, 7)"
_IS_TIME = (
    f"{_IS_TEXT} AND substr({{0}}, 1, 4) != '0000' AND ({{0}} = {_SECONDS} OR "
    f"({{0}} = {_SECONDS} || {_DECIMALS} AND {_DECIMALS} != '.000000' "
    f"AND {_DECIMALS} GLOB '.{'[0-9]' * 6}'))"
)
_IS_UUID = f"{_IS_TEXT} AND length({{0}}) = 32 AND {{0}} NOT GLOB '*[^0-9a-f]*'"
_IS_JSON = (
    f"{_IS_TEXT} AND json_valid({{0}}) AND NOT EXISTS "  # noqa: S608  names of the model
    "(SELECT 1 FROM json_tree({0}) GROUP BY parent, key HAVING COUNT(*) > 1)"
)
_IS_BYTES = "typeof({0}) = 'blob'"
_IS_INTEGER = "typeof({0}) = 'integer'"
_IS_BOOLEAN = f"{_IS_INTEGER} AND {{0}} IN (0, 1)"

# The first that matches: a class may be derived from another one of the list.
_CONDITIONS: Sequence[tuple[type["models.Field[object, object]"], str]] = [
    (models.DateTimeField, _IS_TIME),
    (models.UUIDField, _IS_UUID),
    (models.JSONField, _IS_JSON),
    (models.BinaryField, _IS_BYTES),
    (models.CharField, _IS_TEXT),
    (models.TextField, _IS_TEXT),
    (models.IntegerField, _IS_INTEGER),
    (models.BooleanField, _IS_BOOLEAN),
]


# The names of the rows in sentences.
_NOUNS: dict[type[models.Model], str] = {
    Notification: "notification",
    Delivery: "delivery",
    Attempt: "attempt",
    DeliveryQuery: "query",
    AuditEntry: "audit entry",
    Seal: "seal",
    Tally: "tally",
    Archive: "archive",
    DraftVersion: "version of a draft",
    Group: "role",
    SocialAccount: "identity",
}


def noun_of(model: type[models.Model]) -> str:
    return _NOUNS.get(model, model._meta.model_name or "")


def wrong_types_of_chain() -> dict[type[models.Model], dict[int, str]]:
    """Sentences about seals, result counts, archives and versions of drafts, by id."""
    return {
        model: dict(_sentences(model._base_manager.all()))
        for model in (Seal, Tally, Archive, DraftVersion)
    }


def wrong_types_of_notifications(
    notifications: "models.QuerySet[Notification]",
) -> Iterator[str]:
    """Sentences about notifications, their deliveries, attempts and queries."""
    deliveries = Delivery.objects.filter(notification__in=notifications.values("pk"))
    attempts = Attempt.objects.filter(delivery__in=deliveries.values("pk"))
    queries = DeliveryQuery.objects.filter(delivery__in=deliveries.values("pk"))
    return wrong_types(notifications, deliveries, attempts, queries)


def wrong_types(*queries: "models.QuerySet[Any]") -> Iterator[str]:
    """A sentence for each row with a value of a wrong type."""
    for rows in queries:
        yield from (sentence for _number, sentence in _sentences(rows))


def _sentences(rows: "models.QuerySet[Any]") -> Iterator[tuple[int, str]]:
    """The id and a sentence for each row with such a column, in the order of the ids."""
    if connection.vendor != "sqlite":
        return
    quote = connection.ops.quote_name
    table = quoted_table(rows.model)
    cases = " ".join(
        f"WHEN {column} IS NOT NULL AND ({condition.format(column)}) IS NOT TRUE "
        f"THEN '{field.column}'"
        for field in rows.model._meta.concrete_fields
        if (condition := _condition(field))
        and (column := f"{table}.{quote(field.column)}")
    )
    wrong = RawSQL(f"CASE {cases} END", [])  # noqa: S611  names of the model
    others = rows.order_by("pk").annotate(wrong=wrong).filter(wrong__isnull=False)
    for number, column in others.values_list("pk", "wrong").iterator():
        yield (
            number,
            f"{noun_of(rows.model)} {number}: the value of {column} has a wrong type.",
        )


def _condition(field: "models.Field[object, object]") -> str:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return next((text for kind, text in _CONDITIONS if isinstance(field, kind)), "")
