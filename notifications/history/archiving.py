"""Archiving: move the rows of old notifications to files; their counts stay.

Only the command ``archive_history`` removes rows. It removes them after the file has
been written to disk and read back, with ``guards_disabled``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from notifications import audit_log
from notifications.db.snapshot import snapshot
from notifications.db.sql import quoted_table
from notifications.delivery.progress import by_group_to_archive
from notifications.files import locked_folder
from notifications.history.audit_events import ARCHIVED
from notifications.models import (
    Archive,
    Attempt,
    Delivery,
    DeliveryQuery,
    Notification,
    Seal,
)
from notifications.record import archive as record_archive
from notifications.record.chain import head_of
from notifications.record.guards import install as guards_install


@dataclass(frozen=True, slots=True)
class Archived:
    """An archived notification; ``rows`` is its number of deliveries and attempts."""

    notification: int
    file_name: str
    rows: int


def due(before: datetime) -> QuerySet[Notification]:
    """Sealed notifications that ended before ``before`` and are not archived yet.

    The workers still need the rows of one whose recall or correction is not sealed.
    """
    return Notification.objects.filter(
        ~Exists(_unsealed_amendments(OuterRef("pk"))),
        seal__isnull=False,
        archive__isnull=True,
        finished_at__lt=before,
    ).order_by("pk")


def _unsealed_amendments(notification: Any) -> QuerySet[Notification]:
    return Notification.objects.filter(amends=notification, seal__isnull=True)


def unsealed(before: datetime) -> int:
    """Number of notifications that are due, but not sealed."""
    return Notification.objects.filter(
        status__in=Notification.ENDED, seal__isnull=True, finished_at__lt=before
    ).count()


def planned(before: datetime) -> Iterator[Archived]:
    """Yield what ``archive_history`` would archive, without changes."""
    for number, rows in due(before).values_list("pk", "seal__rows"):
        yield Archived(number, record_archive.file_name(number), rows)


def archive_history(
    before: datetime, folder: Path, *, actor: str
) -> Iterator[Archived]:
    """Archive the due notifications; each is yielded after its commit.

    Raises ``NotArchivable`` or ``OSError``. Nothing of the failed notification is
    removed then, and the next run continues with it.
    """
    busy = record_archive.NotArchivable(
        f"Another archive_history is writing into {folder}. Wait for its end."
    )
    with locked_folder(folder, busy):
        for number in list(due(before).values_list("pk", flat=True)):
            yield _archive(Notification.objects.get(pk=number), folder, actor)


def _archive(notification: Notification, folder: Path, actor: str) -> Archived:
    with snapshot():
        if Archive.objects.filter(notification=notification).exists():
            raise _archived_meanwhile(notification)
        seal = Seal.objects.defer("leaves").get(notification=notification)
        if head_of(seal, notification.tallies.all()) != seal.head:
            raise record_archive.NotArchivable(
                f"The seal of notification {notification.pk} was changed. Run "
                f"manage.py verify_history --notification {notification.pk}."
            )
        digest = record_archive.write(notification, folder, seal=seal)
    name = record_archive.file_name(notification.pk)
    with transaction.atomic():
        # Wait for a concurrent run that archives into another folder.
        Notification.objects.select_for_update().get(pk=notification.pk)
        if Archive.objects.filter(notification=notification).exists():
            raise _archived_meanwhile(notification)
        if _unsealed_amendments(notification).exists():
            raise record_archive.NotArchivable(
                f"Notification {notification.pk} is being taken back or corrected since "
                "this run began. Try again when that has ended."
            )
        by_group = by_group_to_archive(notification)
        queries, attempts, deliveries = _remove(notification.pk)
        count = queries + attempts + deliveries
        if count != seal.rows:
            # The removed rows must be those in the file; raising rolls back.
            raise record_archive.NotArchivable(
                f"Notification {notification.pk} has {count} rows, but "
                f"{seal.rows} were sealed. Run manage.py verify_history --notification "
                f"{notification.pk}."
            )
        archive = Archive.objects.create(
            notification=notification,
            file_name=name,
            file_digest=digest,
            deliveries=deliveries,
            attempts=attempts,
            by_group=by_group,
        )
        audit_log.write(
            ARCHIVED,
            actor,
            notification=notification.pk,
            file_name=name,
            sha256=digest,
            deliveries=deliveries,
            attempts=attempts,
        )
        # Last: until the commit, other seals wait for this one.
        record_archive.seal_archive(archive)
    return Archived(notification.pk, name, seal.rows)


def _archived_meanwhile(notification: Notification) -> record_archive.NotArchivable:
    return record_archive.NotArchivable(
        f"Notification {notification.pk} was archived meanwhile by another run."
    )


def _remove(notification: int) -> tuple[int, int, int]:
    """Remove queries, attempts and deliveries; return the numbers of each.

    In SQL, since ``QuerySet.delete()`` would fetch every row first.
    """
    deliveries = quoted_table(Delivery)
    removed = []
    with guards_install.guards_disabled(), connection.cursor() as cursor:
        for model in (DeliveryQuery, Attempt):
            cursor.execute(
                f"DELETE FROM {quoted_table(model)} WHERE delivery_id IN "  # noqa: S608  names of the models
                f"(SELECT id FROM {deliveries} WHERE notification_id = %s)",
                [notification],
            )
            removed.append(cursor.rowcount)
        cursor.execute(
            f"DELETE FROM {deliveries} WHERE notification_id = %s",  # noqa: S608  likewise
            [notification],
        )
        return removed[0], removed[1], cursor.rowcount
