"""Differences between what a seal covers and its digest.

A seal covers a notification, whose rows may be in an archive file, an archive, or a range
of the audit trail.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from notifications.db.row_errors import ROW_ERRORS
from notifications.files import sha256
from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    Notification,
    Seal,
)
from notifications.record.archive import archive_row
from notifications.record.canonical_text import (
    COLUMNS,
    FORMAT,
    MODELS,
    Row,
    rows,
    rows_of_file,
)
from notifications.record.chain import digest_of
from notifications.record.comparison import compare
from notifications.record.creation import difference_of_creation, entries_of_creation
from notifications.record.leaves import leaves_of
from notifications.record.readable import unreadable_values
from notifications.record.stored_types import wrong_types
from notifications.record.trail import action_rows, unused_ids


@dataclass(slots=True)
class Verification:
    """``differences`` are sentences, at most one for the content of each seal."""

    differences: list[str] = field(default_factory=list)
    head: str = ""
    seals: int = 0
    notifications: int = 0  # whose rows were read and compared
    rows: int = 0
    archived: int = 0  # whose archive files were not read
    unreadable: list[str] = field(default_factory=list)  # these files, with the error
    unsealed: int = 0  # ended, but without a seal yet
    unsealed_entries: int = 0  # of the audit trail
    # Ids without an audit entry: first and last of each sealed gap, and their number
    # after the last seal.
    unused_ids: list[tuple[int, int]] = field(default_factory=list)
    unused_unsealed: int = 0
    next_entry: int = 1  # the first audit entry after the seals that were read

    @property
    def unchanged(self) -> bool:
        return not self.differences


def difference_of_content(
    seal: Seal, folder: Path | None, verification: Verification
) -> str:
    """The first difference of what this seal covers; empty for none.

    Adds to the counts of ``verification``. ``folder`` has the archive files.
    """
    try:
        return (
            next(wrong_types(*_rows_of(seal)), "")
            or _difference(seal, folder, verification)
            or difference_of_creation(seal)
        )
    except ROW_ERRORS:
        for rows in _rows_of(seal):
            if sentence := next(unreadable_values(rows), ""):
                return sentence
        raise


def _rows_of(seal: Seal) -> list[QuerySet[Any]]:
    """The rows that are read for the difference of this seal."""
    number = seal.notification_id
    if number is None:
        entries = (seal.first_entry or 1, seal.last_entry or 0)
        return [
            Archive.objects.filter(pk=seal.archive_id or 0),
            AuditEntry.objects.filter(pk__range=entries).order_by("pk"),
        ]
    deliveries = Delivery.objects.filter(notification=number).order_by("pk")
    attempts = Attempt.objects.filter(delivery__in=deliveries.values("pk"))
    queries = DeliveryQuery.objects.filter(delivery__in=deliveries.values("pk"))
    return [
        Notification.objects.filter(pk=number),
        Archive.objects.filter(notification=number),
        entries_of_creation(number),
        deliveries,
        attempts.order_by("pk"),
        queries.order_by("pk"),
    ]


def notification_of(seal: Seal) -> int | None:
    """The number of the notification or of the archived one; ``None`` for entries."""
    if seal.archive_id is None:
        return seal.notification_id
    return next((number for number, _digest in leaves_of(seal)), None)


def _difference(seal: Seal, folder: Path | None, verification: Verification) -> str:
    """The first difference of the rows that this seal covers; empty for none."""
    if seal.archive_id is not None:
        return _difference_of_archive(seal, seal.archive_id)
    number = seal.notification_id
    if number is None:
        return _difference_of_trail(seal, verification)
    subject = f"notification {number}"
    notification = Notification.objects.filter(pk=number).first()
    if notification is None:
        return f"{subject} is missing."
    if seal.text_format not in COLUMNS:
        return f"{subject} is sealed in a format that this release does not know."
    if difference := _difference_beyond(seal, notification.pk):
        return difference
    # An archive without a seal is a difference of its own, and explains nothing.
    archive = Archive.objects.filter(
        notification=notification, seal__isnull=False
    ).first()
    if archive is not None:
        added = Delivery.objects.filter(notification_id=number).order_by("pk").first()
        if added is not None:
            return f"delivery {added.pk} was added to {subject}, which is archived."
        return _difference_of_file(seal, notification, archive, folder, verification)
    verification.notifications += 1
    verification.rows += seal.rows
    return compare(
        seal, lambda: rows(notification, seal.text_format), "delivery", subject
    )


def _difference_beyond(seal: Seal, notification: int) -> str:
    """The first row with a value in a column that the format of the seal does not have.

    Such a column was added later: the rows of that time have its default.
    """
    columns = COLUMNS[seal.text_format]
    of_delivery = {"delivery__notification": notification}
    candidates: dict[str, QuerySet[Any]] = {
        "notification": Notification.objects.filter(pk=notification),
        "delivery": Delivery.objects.filter(notification=notification),
        "attempt": Attempt.objects.filter(**of_delivery),
        "query": DeliveryQuery.objects.filter(**of_delivery),
    }
    for kind, present in COLUMNS[FORMAT].items():
        later = set(present) - set(columns.get(kind, ()))
        if not later:
            continue
        rows_of_kind = candidates[kind].order_by("pk")
        if kind in columns:
            rows_of_kind = rows_of_kind.exclude(**_defaults(MODELS[kind], later))
        number = rows_of_kind.values_list("pk", flat=True).first()
        if number is not None:
            return (
                f"{kind} {number} of notification {notification} has values that its "
                "seal does not cover."
            )
    return ""


def _defaults(model: type[Model], columns: Iterable[str]) -> dict[str, object]:
    """The conditions for a row with the default in each of the columns."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return {
        f"{column}__isnull" if fields[column].null else column: (
            True if fields[column].null else fields[column].get_default()
        )
        for column in sorted(columns)
    }


def _difference_of_archive(seal: Seal, archive_id: int) -> str:
    """Whether the archive, which names the file and its digest, is the sealed one."""
    archive = Archive.objects.filter(pk=archive_id).first()
    if archive is None:
        return f"the archive of notification {notification_of(seal)} is missing."
    if digest_of([archive_row(archive)]).digest != seal.digest:
        return f"the archive of notification {archive.notification_id} was changed."
    return ""


def _difference_of_file(
    seal: Seal,
    notification: Notification,
    archive: Archive,
    folder: Path | None,
    verification: Verification,
) -> str:
    """The first difference of the archive file, which is counted if it is not read."""
    if folder is None:
        verification.archived += 1
        return ""
    path = folder / archive.file_name
    try:
        if sha256(path) != archive.file_digest:
            return f"{path.name} is not the file that was archived."
        difference = compare(
            seal,
            lambda: _rows_of_archive(path, seal, notification),
            "delivery",
            f"notification {notification.pk}",
        )
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, LookupError, TypeError):
        return f"{path.name} does not hold the sealed text of notification {notification.pk}."
    except OSError as error:
        verification.archived += 1
        verification.unreadable.append(f"{archive.file_name}: {error.strerror}")
        return ""
    verification.notifications += 1
    verification.rows += seal.rows
    return difference


def _rows_of_archive(
    path: Path, seal: Seal, notification: Notification
) -> Iterator[Row]:
    # The first line comes from the database: both copies must match the seal.
    yield from islice(rows(notification, seal.text_format), 1)
    with gzip.open(path) as lines:
        yield from islice(rows_of_file(lines), 1, None)


def _difference_of_trail(seal: Seal, verification: Verification) -> str:
    if seal.first_entry is None or seal.last_entry is None:
        raise ValueError("A seal over actions has no range.")
    first, last = seal.first_entry, seal.last_entry
    unreadable: list[int] = []
    difference = compare(
        seal,
        lambda: action_rows(first, last, unreadable=unreadable),
        "audit entry",
        "the audit trail",
    )
    if unreadable:
        return next(unreadable_values(AuditEntry.objects.filter(pk__in=unreadable)))
    if difference:
        return difference
    unused = list(unused_ids(seal))
    if unused and connection.vendor == "sqlite":
        # A rollback on SQLite returns its ids, so there was an entry.
        return (
            f"audit entry {unused[0][0]} was removed before the audit trail was sealed."
        )
    verification.unused_ids += unused
    return ""
