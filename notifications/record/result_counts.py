"""Counting the deliveries of a notification that are alike."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from django.db.models import Count, Max, Min

from notifications.models import Delivery, Tally

ALIKE = ("notification_id", "status", "group_type", "error_code", "reason")


# Of notifications: who sent each, and when its deliveries were made.
Made: TypeAlias = Mapping[int, tuple[str, datetime]]


def count_results(
    notifications: Iterable[int], made: Made | None = None
) -> list[Tally]:
    """Tallies as the rows stand now, not saved; two queries, one where ``made`` is known.

    Newest first. Those of a sealed notification are in the table already.
    """
    found = list(
        Delivery.objects.filter(notification_id__in=list(notifications))
        .order_by()
        .values_list(*ALIKE)
        .annotate(count=Count("pk"), first=Min("pk"), last=Max("pk"))
        .order_by("-last")
    )
    if made is None:
        made = _counts([first for *_alike, first, _last in found])
    return [
        Tally(
            notification_id=number,
            sender_name=made[number][0],
            created_at=made[number][1],
            status=status,
            group_type=group_type,
            error_code=code,
            reason=reason,
            count=count,
            first_delivery=first,
            last_delivery=last,
        )
        for number, status, group_type, code, reason, count, first, last in found
    ]


def _counts(deliveries: list[int]) -> Made:
    # All deliveries of a notification are made at one moment, so any row tells it.
    rows = Delivery.objects.filter(pk__in=deliveries).order_by("-created_at")
    return {
        number: (sender, at)
        for number, sender, at in rows.values_list(
            "notification_id", "notification__sender_name", "created_at"
        )
    }
