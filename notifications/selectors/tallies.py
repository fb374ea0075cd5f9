"""Counting the deliveries of a notification that are alike."""

from collections.abc import Iterable

from django.db.models import Count, Max, Min

from notifications.models import Delivery, Notification, Tally

ALIKE = ("notification_id", "status", "group_type", "error_code", "reason")


def counted(notifications: Iterable[int]) -> list[Tally]:
    """Tallies as the rows stand now, not saved; three queries.

    Newest first. Those of a sealed notification are in the table already.
    """
    found = list(
        Delivery.objects.filter(notification_id__in=list(notifications))
        .order_by()
        .values_list(*ALIKE)
        .annotate(count=Count("pk"), first=Min("pk"), last=Max("pk"))
        .order_by("-last")
    )
    numbers = {row[0] for row in found}
    senders = dict(
        Notification.objects.filter(pk__in=numbers).values_list("pk", "sender_name")
    )
    # All deliveries of a notification are made at one moment, so any row tells it.
    times = dict(
        Delivery.objects.filter(pk__in=[first for *_alike, first, _last in found])
        .order_by("-created_at")
        .values_list("notification_id", "created_at")
    )
    return [
        Tally(
            notification_id=number,
            sender_name=senders[number],
            created_at=times[number],
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
