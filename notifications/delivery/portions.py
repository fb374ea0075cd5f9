"""Groups that get their named members' notice in parts: what is counted is the group.

A call takes so many members at most, so a long list goes out in several deliveries to
each group. A group is done when all of them are, and counts once, under its worst part.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    When,
)

from notifications.models import Archive, Delivery, Notification
from notifications.models.deliveries import DeliveryQuerySet

S = Delivery.Status

# The first of these that one of its parts has is where the group stands.
STANDS_AT = [
    S.SENDING,
    S.QUEUED,
    S.FAILED,
    S.UNCONFIRMED,
    S.CANCELLED,
    S.ACCEPTED,
]


def portion_count(notification: Notification) -> int:
    """In how many parts its members are named; 1 for everyone. One query or none."""
    if not notification.recipients:
        return 1
    one = notification.deliveries.order_by("id").first()
    return one.parts if one is not None else 1


def group_counts(rows: DeliveryQuerySet) -> dict[str, int]:
    """How many groups stand where; every status is present. Counted by the database."""
    place = Case(
        *(When(status=status, then=n) for n, status in enumerate(STANDS_AT)),
        output_field=IntegerField(),
    )
    groups = rows.order_by().values("group_id").annotate(place=Min(place))
    found = groups.aggregate(
        **{
            status.value: Count("group_id", filter=Q(place=n))
            for n, status in enumerate(STANDS_AT)
        }
    )
    return {status: found[status] for status in S.values}


def archived_counts(notification: int) -> dict[str, Any] | None:
    """``Archive.by_group`` of one; ``None`` where each delivery is a group."""
    return _kept([notification]).get(notification)


def _kept(notifications: list[int]) -> dict[int, dict[str, Any]]:
    found = Archive.objects.filter(
        notification_id__in=notifications, by_group__isnull=False
    )
    return {row.notification_id: row.by_group for row in found if row.by_group}


def groups_with_problems(
    notifications: Iterable[Notification],
) -> dict[int, dict[str, int]]:
    """How many groups failed or are not confirmed, of each that names members.

    Two queries or none. Those that have ended without a problem are left out, and those
    that were archived before groups were counted for it.
    """
    named = {row.pk: row for row in notifications if row.recipients}
    if not named:
        return {}
    still_open = Delivery.objects.open().filter(
        notification_id=OuterRef("notification_id"), group_id=OuterRef("group_id")
    )
    rows = Delivery.objects.filter(
        ~Exists(still_open),
        notification_id__in=list(named),
        status__in=[S.FAILED, S.UNCONFIRMED],
    )
    found = (
        rows.order_by()
        .values("notification_id")
        .annotate(
            failed=Count("group_id", distinct=True, filter=Q(status=S.FAILED)),
            unconfirmed=Count("group_id", distinct=True) - F("failed"),
        )
    )
    counts: dict[int, dict[str, int]] = {
        pk: {} for pk, row in named.items() if not row.has_ended
    }
    counts |= {
        number: {
            status: kept["counts"][status]
            for status in (S.FAILED, S.UNCONFIRMED)
            if kept["counts"][status]
        }
        for number, kept in _kept(list(named)).items()
    }
    for row in found:
        counts[row["notification_id"]] = {
            status.value: row[status]
            for status in (S.FAILED, S.UNCONFIRMED)
            if row[status]
        }
    return counts
