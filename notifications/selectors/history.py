"""Which rows of the history the filters mean, each answered from an index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from notifications.models import ChatGroup, Delivery, Notification

# More groups than these are no search: somebody typed a single letter.
SEARCHED_GROUPS = 500
# Ids and times come in the same order, but for sends at the same time.
SLACK = timedelta(hours=1)
PROBLEMS = [Delivery.Status.FAILED, Delivery.Status.UNCONFIRMED]


class TooManyGroups(Exception):
    """More than ``SEARCHED_GROUPS`` groups match."""


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Empty values mean: all. Days are days of the current time zone, both included."""

    text: str = ""
    since: date | None = None
    until: date | None = None
    status: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """As above; ``group_ids`` are those that ``group_ids_matching`` found."""

    group_ids: Sequence[str] | None = None
    since: date | None = None
    until: date | None = None
    status: str = ""
    group_type: str = ""
    sender: str = ""
    code: int | None = None
    reason: str = ""
    notification: int | None = None


def notifications(wanted: NotificationFilter, user_id: int) -> QuerySet[Notification]:
    """The history and this person's own drafts."""
    rows: QuerySet[Notification] = Notification.objects.visible_to(user_id)
    if wanted.text:
        rows = rows.filter(
            Q(content__icontains=wanted.text) | Q(note__icontains=wanted.text)
        )
    if wanted.since:
        rows = rows.filter(sent_at__gte=_start_of(wanted.since))
    if wanted.until:
        rows = rows.filter(sent_at__lt=_end_of(wanted.until))
    return rows.filter(
        **_given(status=wanted.status, sender_name=wanted.sender)
    ).order_by("-id")


def problems_of(notifications: Iterable[Notification]) -> dict[int, dict[str, int]]:
    """How many deliveries of each notification failed or are not confirmed."""
    found: dict[int, dict[str, int]] = {}
    counted = (
        Delivery.objects.filter(
            notification_id__in=[row.pk for row in notifications], status__in=PROBLEMS
        )
        .order_by()
        .values_list("notification_id", "status")
        .annotate(n=Count("id"))
    )
    for notification_id, status, n in counted:
        found.setdefault(notification_id, {})[status] = n
    return found


def group_ids_matching(term: str) -> list[str]:
    """IDs of the groups that a search means; raises ``TooManyGroups``.

    Groups first: a small table, searched in any way; then their IDs by an index of the
    history. A trigram index finds no Chinese word of two characters.
    """
    groups = ChatGroup.objects.matching(term).order_by()
    found = list(groups.values_list("group_id", flat=True)[: SEARCHED_GROUPS + 1])
    if len(found) > SEARCHED_GROUPS:
        raise TooManyGroups
    # The ID of a group that is no longer in the list still finds its history.
    return list(dict.fromkeys([term, *found]))


def deliveries(wanted: DeliveryFilter) -> QuerySet[Delivery]:
    """The rows, newest first."""
    rows: QuerySet[Delivery] = Delivery.objects.history()
    if wanted.group_ids is not None:
        rows = rows.filter(group_id__in=wanted.group_ids)
    if wanted.reason:
        # The few without a verdict are found by their status.
        rows = rows.filter(status=Delivery.Status.UNCONFIRMED, reason=wanted.reason)
    rows = rows.filter(
        **_given(
            status=wanted.status,
            group_type=wanted.group_type,
            sender_name=wanted.sender,
            error_code=wanted.code,
            notification_id=wanted.notification,
        )
    )
    return _in_period(rows, wanted.since, wanted.until).order_by("-id")


def _in_period(
    rows: QuerySet[Delivery], since: date | None, until: date | None
) -> QuerySet[Delivery]:
    """The days as bounds of the id too, since every index of the list ends in the id.

    The bound is a row more than ``SLACK`` outside of the period: whatever is inside
    has an id on this side of it.
    """
    by_time = Delivery.objects.values_list("pk", flat=True)
    if since:
        begin = _start_of(since)
        rows = rows.filter(created_at__gte=begin)
        outside = by_time.filter(created_at__lt=begin - SLACK)
        if (bound := outside.order_by("-created_at").first()) is not None:
            rows = rows.filter(pk__gt=bound)
    if until:
        end = _end_of(until)
        rows = rows.filter(created_at__lt=end)
        outside = by_time.filter(created_at__gte=end + SLACK)
        if (bound := outside.order_by("created_at").first()) is not None:
            rows = rows.filter(pk__lt=bound)
    return rows


def occurring(field: str) -> list[Any]:
    """The different values of an indexed column of the deliveries, in order.

    One look-up in the index per value, where DISTINCT would read the whole index.
    """
    quote = connection.ops.quote_name
    table = quote(Delivery._meta.db_table)
    column = quote(field)  # no field here has another name for its column
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(value) AS (SELECT MIN({column}) FROM {table} "  # noqa: S608  names of the model
            f"UNION ALL SELECT (SELECT MIN({column}) FROM {table} "
            f"WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL) "
            f"SELECT value FROM found WHERE value IS NOT NULL"
        )
        return [value for (value,) in cursor.fetchall()]


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _end_of(day: date) -> datetime:
    """The first moment after ``day``."""
    return _start_of(day + timedelta(days=1))
