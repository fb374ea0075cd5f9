"""The open queries of a notification: how many, and until when."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from notifications.delivery.reconcile.questions import can_be_asked_now, open_queries
from notifications.models import Notification


@dataclass(frozen=True, slots=True)
class OpenQueries:
    """``seconds_left``: until the last of them is due.

    ``askable``: the number of those for which a person need not wait.
    """

    count: int = 0
    seconds_left: int = 0
    askable: int = 0


def open_queries_of(notification: Notification, now: datetime) -> OpenQueries:
    """One query."""
    rows = open_queries().filter(notification=notification)
    sums = rows.aggregate(
        count=Count("pk"),
        last=Max("next_query_at"),
        askable=Count("pk", filter=can_be_asked_now(now)),
    )
    if not sums["count"]:
        return OpenQueries()
    seconds = (sums["last"] - now).total_seconds()
    return OpenQueries(sums["count"], max(1, round(seconds)), sums["askable"])
