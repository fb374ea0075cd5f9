"""Queries for seals, archives and the state of the record.

The digests of the rows (``Seal.leaves``) are not loaded: they may take megabytes.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, QuerySet, Subquery

from notifications.models import Archive, AuditEntry, Seal
from notifications.record.audit_events import VERIFIED
from notifications.ui.dates import end_of, start_of

# Notifications that were sent at the same time have interleaved delivery ids.
MAX_FILE_NAMES = 3


def newest_seal() -> Seal | None:
    """The last seal of the chain; ``None`` before the first."""
    return Seal.objects.order_by("-number").defer("leaves").first()


def head() -> str:
    """The head of the newest seal: 64 hexadecimal digits, empty before the first."""
    seal = newest_seal()
    return seal.head if seal else ""


def seal_of(notification: int) -> Seal | None:
    """The seal of a notification; ``None`` before it is sealed."""
    return Seal.objects.filter(notification_id=notification).defer("leaves").first()


def archive_file_of(notification: int) -> str:
    """The name of the notification's archive file; empty if it is not archived."""
    archives = Archive.objects.filter(notification_id=notification)
    return archives.values_list("file_name", flat=True).first() or ""


def archive_files_with(delivery: int) -> list[str]:
    """The files that may hold this delivery, by the ranges of ids in the result counts."""
    archives = Archive.objects.filter(
        notification__tallies__first_delivery__lte=delivery,
        notification__tallies__last_delivery__gte=delivery,
    ).order_by("notification_id")
    names = archives.values_list("file_name", flat=True)
    return list(names.distinct()[:MAX_FILE_NAMES])


def archives_between(since: date, until: date) -> QuerySet[Archive]:
    """Archives with deliveries created from ``since`` to ``until``, both included."""
    return Archive.objects.filter(
        notification__tallies__created_at__gte=start_of(since),
        notification__tallies__created_at__lt=end_of(until),
    )


@dataclass(frozen=True, slots=True)
class ArchiveExtent:
    """The number of archived notifications, and the end of the last of them."""

    notifications: int
    until: datetime


def archive_extent() -> ArchiveExtent | None:
    """``None`` while nothing is archived."""
    extent = ArchiveExtent(
        **Archive.objects.aggregate(
            notifications=Count("pk"), until=Max("notification__finished_at")
        )
    )
    return extent if extent.notifications else None


@dataclass(frozen=True, slots=True)
class RecordState:
    """``head`` is empty before the first seal; ``verified_at`` is ``None`` before the
    first complete verification.

    ``unread_archives`` is the number of archived notifications whose files it did not
    read; ``may_omit_archives`` tells whether it was run without them on purpose.
    """

    head: str = ""
    sealed_at: datetime | None = None
    verified_at: datetime | None = None
    unchanged: bool = False
    unread_archives: int = 0
    may_omit_archives: bool = False

    @property
    def is_determined(self) -> bool:
        """False if the verification found no difference, but could not read everything."""
        return not (self.unchanged and self.unread_archives) or self.may_omit_archives


def record_state() -> RecordState:
    """Run one query, and a second one if the record was never verified.

    Verifications of a part of the record are ignored.
    """
    verifications = AuditEntry.objects.filter(
        action=VERIFIED.word, detail__only=None, detail__since=None
    )
    seals = Seal.objects.order_by("-number")
    verification = (
        verifications.annotate(
            head=Subquery(seals.values("head")[:1]),
            sealed_at=Subquery(seals.values("sealed_at")[:1]),
        )
        .order_by("-id")
        .first()
    )
    if verification is None:
        seal = newest_seal()
        return RecordState(seal.head, seal.sealed_at) if seal else RecordState()
    return RecordState(
        head=verification.head or "",
        sealed_at=verification.sealed_at,
        verified_at=verification.at,
        unchanged=bool(verification.detail.get("unchanged")),
        unread_archives=verification.detail.get("archived", 0),
        may_omit_archives=bool(verification.detail.get("without_archives")),
    )
