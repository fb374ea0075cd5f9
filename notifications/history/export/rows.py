"""The rows of an export: one per delivery, with its attempts, in order of id."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from notifications.history.search.by_groups import has_few_rows
from notifications.history.search.facets import UnsealedNotification
from notifications.history.search.filters import DeliveryFilter
from notifications.history.search.id_ranges import id_ranges
from notifications.history.search.queries import rows_of
from notifications.models import Attempt, Delivery, Notification
from notifications.ui.downloads import (
    PAGE_ROWS,
    Column,
    Values,
    fields_of,
    json_objects,
    json_of,
    pages_by_id,
)


def _as_text(field: str) -> Cast:
    """A time as the database writes it, in UTC: to parse it takes most of the time."""
    return Cast(field, TextField())


def _local_time(text: str | None) -> str | None:
    """ISO 8601 in the zone of the site, with its offset."""
    if text is None:
        return None
    minute, seconds = text[:16], text[16:].removesuffix("+00")
    start, offset = _local_minute(minute, timezone.get_default_timezone())
    if len(seconds) > 3:
        seconds = seconds.ljust(10, "0")  # ":07.080000", as Python writes it
    return f"{start}{seconds}{offset}"


@lru_cache(maxsize=10_000)
def _local_minute(minute: str, zone: tzinfo) -> tuple[str, str]:
    """With its offset, which is whole minutes since 1972."""
    utc = datetime.fromisoformat(minute).replace(tzinfo=UTC)
    written = utc.astimezone(zone).isoformat(timespec="minutes")
    return written[:16], written[16:]


NUMBERS = [Column("delivery", "pk"), Column("notification", "notification_id")]

# What all deliveries of a notification have in common: read once for a page.
OF_NOTIFICATION = [
    # Number of the seal that holds it; empty: not sealed yet.
    Column("seal", "seal__number"),
    # Number of the notification whose groups this one sent to again.
    Column("sent_again_of", "resend_of_id"),
    Column("by_superuser", "by_superuser"),
    Column("content", "content"),
    Column("note", "note"),
]

OF_DELIVERY = [
    Column("sender", "sender_name"),
    Column("created_at", _as_text("created_at"), _local_time),
    Column("group_id", "group_id"),
    Column("group_name", "group_name"),
    Column("group_type", "group_type"),
    Column("portion", "portion"),
    # Member IDs; none: everyone in the group.
    Column("recipients", "recipients", str.splitlines, " ".join),
    Column("status", "status"),
    Column("error_code", "error_code"),
    Column("error_info", "error_info"),
    Column("reason", "reason"),
    Column("finished_at", _as_text("finished_at"), _local_time),
]

# In the order of the file.
COLUMNS = [*NUMBERS, *OF_NOTIFICATION, *OF_DELIVERY, Column("attempts", cell=json_of)]

# Of each attempt, in the last column.
OF_ATTEMPT = [
    Column("number", "number"),
    Column("started_at", _as_text("started_at"), _local_time),
    Column("finished_at", _as_text("finished_at"), _local_time),
    Column("outcome", "outcome"),
    Column("http_status", "http_status"),
    Column("error_code", "error_code"),
    Column("error_info", "error_info"),
    Column("reason", "reason"),
]


def pages(
    wanted: DeliveryFilter,
    live: Sequence[UnsealedNotification],
    *,
    size: int = PAGE_ROWS,
) -> Iterator[list[Values]]:
    """The values of ``COLUMNS``, at most ``size`` rows at once, in order of id.

    What is sent after the first page is not part of it.
    """
    for page in _deliveries(wanted, live, size):
        notifications = _notifications({row[1] for row in page})
        attempts = _attempts([row[0] for row in page])
        yield [
            (pk, number, *notifications[number], *values, attempts[pk])
            for pk, number, *values in page
        ]


def _deliveries(
    wanted: DeliveryFilter, live: Sequence[UnsealedNotification], size: int
) -> Iterator[list[tuple[Any, ...]]]:
    # By a sum, which no index holds, so that what is rare is looked up and then sorted.
    order = F("pk") + 0
    fields = fields_of([*NUMBERS, *OF_DELIVERY])
    if wanted.group_ids is not None and has_few_rows(wanted.group_ids):
        yield from pages_by_id(rows_of(wanted), fields, size=size, order=order)
        return
    numbers = [row.notification for row in live if wanted.may_mean(row)]
    groups = {} if wanted.group_ids is None else {"group_id__in": wanted.group_ids}
    for stretch in id_ranges(wanted, numbers, size=size):
        rows = Delivery.objects.filter(notification_id__in=stretch.notifications)
        if stretch.is_dense:
            rows = rows.filter(
                pk__range=(stretch.first, stretch.last), **wanted.alike, **groups
            )
            yield from pages_by_id(rows, fields, size=size)
        else:
            rows = rows.filter(**wanted.looked_up, **groups)
            yield from pages_by_id(rows, fields, size=size, order=order)


def _notifications(numbers: set[int]) -> dict[int, Values]:
    rows = Notification.objects.filter(pk__in=numbers)
    fields = fields_of(OF_NOTIFICATION)
    return {pk: values for pk, *values in rows.values_list("pk", *fields)}


def _attempts(deliveries: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The calls for each delivery, in their order."""
    first, last = deliveries[0], deliveries[-1]
    if last - first < 2 * len(deliveries):
        # As good as all between these ids: no list of thousands is sent.
        rows = Attempt.objects.filter(delivery_id__gte=first, delivery_id__lte=last)
    else:
        rows = Attempt.objects.filter(delivery_id__in=deliveries)
    rows = rows.order_by("delivery_id", "number")
    values = list(rows.values_list("delivery_id", *fields_of(OF_ATTEMPT)))
    objects = json_objects(OF_ATTEMPT, [row[1:] for row in values])
    attempts = defaultdict(list)
    for (delivery, *_values), attempt in zip(values, objects, strict=True):
        attempts[delivery].append(attempt)
    return attempts
