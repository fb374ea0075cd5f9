"""Counts by group for notifications to named members that are sent in portions.

A call takes a limited number of members, so a long list is sent as several deliveries to
each group. A group is done when all of them are, and counts once, under its worst
portion.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, When

from notifications.models import Archive, Delivery, Notification
from notifications.models.deliveries import DeliveryQuerySet

S = Delivery.Status

# The status of a group is the first of these that one of its portions has.
STATUS_PRIORITY = [
    S.SENDING,
    S.QUEUED,
    S.FAILED,
    S.UNCONFIRMED,
    S.CANCELLED,
    S.ACCEPTED,
]


PROBLEM_STATUSES = (S.FAILED, S.UNCONFIRMED)


def portion_count(notification: Notification) -> int:
    """Return the number of portions; 1 for everyone. One query or none."""
    if not notification.recipients:
        return 1
    delivery = notification.deliveries.order_by("id").first()
    return delivery.portion_count if delivery is not None else 1


def group_counts(rows: DeliveryQuerySet) -> dict[str, int]:
    """Count groups by status, in the database. The result has every status."""
    priority = Case(
        *(When(status=status, then=n) for n, status in enumerate(STATUS_PRIORITY)),
        output_field=models.IntegerField(),
    )
    groups = rows.order_by().values("group_id").annotate(priority=Min(priority))
    counts = groups.aggregate(
        **{
            status.value: Count("group_id", filter=Q(priority=n))
            for n, status in enumerate(STATUS_PRIORITY)
        }
    )
    return {status: counts[status] for status in S.values}


def archived_by_group(notifications: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return ``Archive.by_group`` of the notifications that were sent in portions."""
    archives = Archive.objects.filter(
        notification_id__in=list(notifications), by_group__isnull=False
    )
    return {row.notification_id: row.by_group for row in archives if row.by_group}


def groups_with_problems(
    notifications: Iterable[Notification],
) -> dict[int, dict[str, int]]:
    """Count failed and unconfirmed groups of each notification to named members.

    Two queries or none. Leaves out notifications that ended without a problem, and those
    that were archived without counts by group.
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
        status__in=PROBLEM_STATUSES,
    )
    results = (
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
    for pk, by_group in archived_by_group(named).items():
        counts[pk] = _problem_counts(by_group["counts"])
    for row in results:
        counts[row["notification_id"]] = _problem_counts(row)
    return counts


def _problem_counts(counts: Mapping[str, Any]) -> dict[str, int]:
    return {
        status.value: counts[status] for status in PROBLEM_STATUSES if counts[status]
    }
