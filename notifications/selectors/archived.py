"""What is no longer in the database: where its deliveries went, and how far back."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, QuerySet

from notifications.models import Archive

from .periods import end_of, start_of

# Sends at one time can have their deliveries among each other's: so many files at most.
FILES_NAMED = 3


@dataclass(frozen=True, slots=True)
class Extent:
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


def extent() -> Extent | None:
    """How far back the archive begins; ``None`` while nothing is archived."""
    found = Archive.objects.aggregate(
        n=Count("pk"), until=Max("notification__finished_at")
    )
    return Extent(found["n"], found["until"]) if found["n"] else None
