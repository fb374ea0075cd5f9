"""Archiving: the rows of old notifications go into files, headers and counts stay.

Nothing is ever removed by itself: somebody runs ``archive_history``. The rows go only
after the file is on the disk and was read back, and only through the guarded door.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.db.models import QuerySet

from notifications import audit_log
from notifications.db.sql import quoted_table
from notifications.delivery.progress import by_group_to_archive
from notifications.files import locked_folder
from notifications.history.audit_events import ARCHIVED
from notifications.models import Archive, Attempt, Delivery, Notification, Seal
from notifications.record import archive as record_archive
from notifications.record.guards import install as guards_install


@dataclass(frozen=True, slots=True)
class Archived:
    """What was archived of one notification; ``rows``: deliveries and attempts."""

    notification: int
    file_name: str
    rows: int


def due(before: datetime) -> QuerySet[Notification]:
    """Sealed notifications that ended before a moment and are not archived yet."""
    return Notification.objects.filter(
        seal__isnull=False, archive__isnull=True, finished_at__lt=before
    ).order_by("pk")


def unsealed(before: datetime) -> int:
    """How many ended before a moment and cannot be archived, for want of a seal."""
    return Notification.objects.filter(
        status__in=Notification.ENDED, seal__isnull=True, finished_at__lt=before
    ).count()


def planned(before: datetime) -> Iterator[Archived]:
    """What ``archive_history`` would archive; changes nothing."""
    for number, rows in due(before).values_list("pk", "seal__rows"):
        yield Archived(number, record_archive.file_name(number), rows)


def archive_history(
    before: datetime, folder: Path, *, actor: str
) -> Iterator[Archived]:
    """Archive them one after another; each is yielded when it is committed.

    Raises ``NotArchivable``, ``OSError``: nothing was removed of the notification at
    which it stopped, and a second run goes on there.
    """
    busy = record_archive.NotArchivable(
        f"Another archive_history is writing into {folder}. Wait for its end."
    )
    with locked_folder(folder, busy):
        for number in list(due(before).values_list("pk", flat=True)):
            yield _archive(Notification.objects.get(pk=number), folder, actor)


def _archive(notification: Notification, folder: Path, actor: str) -> Archived:
    seal = _seal(notification)
    digest = record_archive.write(notification, folder, digest=seal.digest)
    name = record_archive.file_name(notification.pk)
    with transaction.atomic():
        # Whoever archives the same into another folder waits here, then finds it done.
        Notification.objects.select_for_update().get(pk=notification.pk)
        if Archive.objects.filter(notification=notification).exists():
            raise record_archive.NotArchivable(
                f"Notification {notification.pk} was archived meanwhile by another run."
            )
        by_group = by_group_to_archive(notification)
        attempts, deliveries = _remove(notification.pk)
        if attempts + deliveries != seal.rows:
            # What is removed must be what is in the file; raising undoes the removal.
            raise record_archive.NotArchivable(
                f"Notification {notification.pk} has {attempts + deliveries} rows, but "
                f"{seal.rows} were sealed. Run manage.py verify_history --notification "
                f"{notification.pk}."
            )
        Archive.objects.create(
            notification=notification,
            file_name=name,
            file_digest=digest,
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
    return Archived(notification.pk, name, seal.rows)


def _seal(notification: Notification) -> Seal:
    """Without its leaves, which are large."""
    return Seal.objects.only("digest", "rows").get(notification=notification)


def _remove(notification: int) -> tuple[int, int]:
    """All attempts and deliveries of it; returns how many of each.

    In SQL: ``QuerySet.delete()`` would fetch every row first.
    """
    deliveries, attempts = quoted_table(Delivery), quoted_table(Attempt)
    with guards_install.guards_disabled(), connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {attempts} WHERE delivery_id IN "  # noqa: S608  names of the models
            f"(SELECT id FROM {deliveries} WHERE notification_id = %s)",
            [notification],
        )
        removed_attempts = cursor.rowcount
        cursor.execute(
            f"DELETE FROM {deliveries} WHERE notification_id = %s",  # noqa: S608  likewise
            [notification],
        )
        return removed_attempts, cursor.rowcount
