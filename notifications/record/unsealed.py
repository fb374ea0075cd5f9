"""Differences of rows that no seal covers.

Their content may change, so it is not compared. But every notification that was sent has
an audit entry and all of its deliveries; the rows of the record refer to rows that exist,
a recall or a correction to what was sent to the same group, and result counts and
archives have a seal.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, F, ForeignKey, Min, OuterRef, QuerySet

from notifications.db.row_errors import ROW_ERRORS
from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    Notification,
    Seal,
    Tally,
)
from notifications.record.creation import difference_of_deliveries, entries_of_creation
from notifications.record.readable import Reader, unreadable_values
from notifications.record.stored_types import noun_of, wrong_types_of_notifications


def differences_of_unsealed(
    reader: Reader, notification: int | None = None
) -> Iterator[str]:
    """All of them, or those of one notification."""
    unsealed = Notification.objects.filter(seal__isnull=True).order_by("pk")
    if notification is not None:
        unsealed = unsealed.filter(pk=notification)
    deliveries = Delivery.objects.filter(notification__in=unsealed.values("pk"))
    attempts = Attempt.objects.filter(delivery__in=deliveries.values("pk"))
    yield from wrong_types_of_notifications(unsealed)
    yield from unreadable_values(deliveries.order_by("pk"))
    yield from unreadable_values(attempts.order_by("pk"))
    queries = DeliveryQuery.objects.filter(delivery__in=deliveries.values("pk"))
    yield from unreadable_values(queries.order_by("pk"))
    yield from _wrong_deliveries(unsealed.sent().values_list("pk", flat=True))
    yield from _missing_notifications(notification)
    yield from _missing_seals(reader, notification)
    yield from _wrong_amendments(notification)
    if notification is None:
        for model in (
            *(Notification, Delivery, Attempt, DeliveryQuery),
            *(Seal, Tally, Archive),
        ):
            yield from _missing_parents(model)


def _wrong_deliveries(numbers: QuerySet[Notification, int]) -> Iterator[str]:
    """Sentences about notifications that sending has not created or not completed."""
    for number in numbers:
        try:
            if difference := difference_of_deliveries(number):
                yield difference
        except ROW_ERRORS:
            sentences = list(unreadable_values(entries_of_creation(number)))
            if not sentences:
                raise
            yield from sentences
    completed = numbers.filter(status=Notification.Status.COMPLETED)
    waiting = Delivery.objects.filter(
        notification__in=completed.values("pk"), status__in=Delivery.OPEN
    )
    for row in waiting.values("notification_id").annotate(first=Min("pk")).order_by():
        yield (
            f"notification {row['notification_id']} is finished, but delivery "
            f"{row['first']} is not."
        )


def _missing_notifications(notification: int | None) -> Iterator[str]:
    """What was sent is never removed; a sealed one is compared with its seal."""
    number = OuterRef("notification_number")
    entries = AuditEntry.objects.filter(
        ~Exists(Notification.objects.filter(pk=number)),
        ~Exists(Seal.objects.filter(notification=number)),
        action__in=AuditEntry.CREATING_DELIVERIES,
        notification_number__isnull=False,
    )
    if notification is not None:
        entries = entries.filter(notification_number=notification)
    rows = entries.values("notification_number").annotate(first=Min("pk"))
    for row in rows.order_by("notification_number"):
        yield (
            f"notification {row['notification_number']} is missing: audit entry "
            f"{row['first']} says that it was sent."
        )


def _missing_seals(reader: Reader, notification: int | None) -> Iterator[str]:
    """Sealing writes result counts, and archiving seals the archive."""
    tallies = Tally.objects.filter(
        ~Exists(Seal.objects.filter(notification=OuterRef("notification")))
    )
    archives = Archive.objects.filter(seal__isnull=True)
    if notification is not None:
        tallies = tallies.filter(notification=notification)
        archives = archives.filter(notification=notification)
    for number, tally in tallies.order_by("pk").values_list("notification_id", "pk"):
        yield (
            f"tally {tally} was added to notification {number}, which is not sealed."
        )
    for archive in reader.rows(archives):
        yield f"the archive of notification {archive.notification_id} has no seal."


def _wrong_amendments(notification: int | None) -> Iterator[str]:
    """A row of a recall or a correction names the delivery whose message it changes.

    Sealed rows are included: no seal covers that the other delivery is there.
    """
    amended = Delivery.objects.filter(
        pk=OuterRef("amended_delivery"),
        notification=OuterRef("notification__amends"),
        group_id=OuterRef("group_id"),
    )
    archives = Archive.objects.filter(notification=OuterRef("notification__amends"))
    rows = Delivery.objects.filter(
        ~Exists(amended), ~Exists(archives), amended_delivery__isnull=False
    )
    if notification is not None:
        rows = rows.filter(notification=notification)
    columns = ("pk", "notification_id", "amended_delivery", "notification__amends")
    for pk, number, changed, amends in rows.order_by("pk").values_list(*columns):
        yield (
            f"delivery {pk} of notification {number} changes the message of delivery "
            f"{changed}, which notification {amends} did not send to this group."
        )


def _missing_parents(model: Any) -> Iterator[str]:
    """A sentence for each row that does not exist, with the first that refers to it."""
    for field in model._meta.concrete_fields:
        if not isinstance(field, ForeignKey):
            continue
        parent: Any = field.related_model
        rows = model._base_manager.filter(
            ~Exists(parent._base_manager.filter(pk=OuterRef(field.attname))),
            **{f"{field.attname}__isnull": False},
        )
        groups = rows.order_by().values(parent_number=F(field.attname))
        for row in groups.annotate(first=Min("pk")):
            yield (
                f"{noun_of(model)} {row['first']} refers to {noun_of(parent)} "
                f"{row['parent_number']}, which does not exist."
            )
