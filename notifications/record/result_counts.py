"""Count the deliveries of a notification by result and group type."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from django.db.models import Count, Max, Min

from notifications.models import Delivery, Tally

GROUP_BY = ("notification_id", "status", "group_type", "error_code", "reason")
# By id of the notification: its sender's name, and when its deliveries were created.
Origins: TypeAlias = Mapping[int, tuple[str, datetime]]


def count_results(
    notifications: Iterable[int], origins: Origins | None = None
) -> list[Tally]:
    """Return unsaved result counts of the present rows, newest first.

    Two queries; one if the caller passes ``origins``. The counts of a sealed notification
    are in the table ``Tally`` already.
    """
    rows = list(
        Delivery.objects.filter(notification_id__in=list(notifications))
        .order_by()
        .values_list(*GROUP_BY)
        .annotate(count=Count("pk"), first=Min("pk"), last=Max("pk"))
        .order_by("-last")
    )
    if origins is None:
        origins = _origins([first for *_key, first, _last in rows])
    return [
        Tally(
            notification_id=number,
            sender_name=origins[number][0],
            created_at=origins[number][1],
            status=status,
            group_type=group_type,
            error_code=code,
            reason=reason,
            count=count,
            first_delivery=first,
            last_delivery=last,
        )
        for number, status, group_type, code, reason, count, first, last in rows
    ]


def _origins(deliveries: list[int]) -> Origins:
    # All deliveries of a notification have the same time of creation: any row will do.
    rows = Delivery.objects.filter(pk__in=deliveries).order_by("-created_at")
    return {
        number: (sender, at)
        for number, sender, at in rows.values_list(
            "notification_id", "notification__sender_name", "created_at"
        )
    }
