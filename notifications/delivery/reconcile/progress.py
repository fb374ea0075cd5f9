"""How many queries of a notification are open, and until when."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from notifications.delivery.reconcile.questions import open_queries
from notifications.models import Notification


@dataclass(frozen=True, slots=True)
class OpenQueries:
    """``seconds_left``: until the last of them is due."""

    count: int = 0
    seconds_left: int = 0


def open_queries_of(notification: Notification, now: datetime) -> OpenQueries:
    """One query."""
    row = (
        open_queries()
        .filter(notification=notification)
        .aggregate(count=Count("pk"), last=Max("next_query_at"))
    )
    if not row["count"]:
        return OpenQueries()
    seconds = (row["last"] - now).total_seconds()
    return OpenQueries(row["count"], max(1, round(seconds)))
