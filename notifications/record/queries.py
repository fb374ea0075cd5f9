"""Seals, archives and the state of the record, as pages and files show them.

Read without the digests of the rows, which may be megabytes.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, QuerySet, Subquery

from notifications.models import Archive, AuditEntry, Seal
from notifications.record.audit_events import VERIFIED
from notifications.ui.dates import end_of, start_of


def newest() -> Seal | None:
    """The last of the chain; ``None`` before the first."""
    return Seal.objects.order_by("-number").defer("leaves").first()


def head() -> str:
    """The head of the newest seal: 64 hexadecimal digits, empty before the first."""
    found = newest()
    return found.head if found else ""


def seal_of(notification: int) -> Seal | None:
    """The seal of a notification; ``None`` before it is sealed."""
    return Seal.objects.filter(notification_id=notification).defer("leaves").first()


# Sends at one time can have their deliveries among each other's: so many files at most.
FILES_NAMED = 3


@dataclass(frozen=True, slots=True)
class ArchiveExtent:
    """``notifications`` are archived; the last of them ended at ``until``."""

    notifications: int
    until: datetime


def file_of(notification: int) -> str:
    """The name of the file with its deliveries; empty while they are still here."""
    found = Archive.objects.filter(notification_id=notification)
    return found.values_list("file_name", flat=True).first() or ""


def files_with(delivery: int) -> list[str]:
    """The files in which this delivery may be, by what the tallies say of the ids."""
    found = Archive.objects.filter(
        notification__tallies__first_delivery__lte=delivery,
        notification__tallies__last_delivery__gte=delivery,
    ).order_by("notification_id")
    return list(found.values_list("file_name", flat=True).distinct()[:FILES_NAMED])


def of_period(since: date, until: date) -> QuerySet[Archive]:
    """Those with deliveries that were made on these days, both included."""
    return Archive.objects.filter(
        notification__tallies__created_at__gte=start_of(since),
        notification__tallies__created_at__lt=end_of(until),
    )


def extent() -> ArchiveExtent | None:
    """How far back the archive begins; ``None`` while nothing is archived."""
    found = Archive.objects.aggregate(
        n=Count("pk"), until=Max("notification__finished_at")
    )
    return ArchiveExtent(found["n"], found["until"]) if found["n"] else None


@dataclass(frozen=True, slots=True)
class RecordState:
    """``head`` is empty before the first seal, ``verified_at`` is ``None`` before the
    first whole verification."""

    head: str = ""
    sealed_at: datetime | None = None
    verified_at: datetime | None = None
    unchanged: bool = False


def record_state() -> RecordState:
    """One query, and one more as long as nothing was ever verified.

    Verifications of a part of the record do not count.
    """
    verifications = AuditEntry.objects.filter(
        action=VERIFIED.word, detail__only=None, detail__since=None
    )
    seals = Seal.objects.order_by("-number")
    verified = (
        verifications.annotate(
            head=Subquery(seals.values("head")[:1]),
            sealed_at=Subquery(seals.values("sealed_at")[:1]),
        )
        .order_by("-id")
        .first()
    )
    if verified is None:
        seal = newest()
        return RecordState(seal.head, seal.sealed_at) if seal else RecordState()
    return RecordState(
        head=verified.head or "",
        sealed_at=verified.sealed_at,
        verified_at=verified.at,
        unchanged=bool(verified.detail.get("unchanged")),
    )
