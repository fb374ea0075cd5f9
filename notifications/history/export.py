"""The export of the history: one row per delivery, with its attempts, by id."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from notifications import permissions
from notifications.history.audit_events import EXPORTED
from notifications.history.search.by_groups import FEW, has_few_rows
from notifications.history.search.facets import UnsealedNotification
from notifications.history.search.filters import DeliveryFilter
from notifications.history.search.id_ranges import id_ranges
from notifications.history.search.queries import matching_rows
from notifications.models import Attempt, Delivery, Notification
from notifications.record.queries import head
from notifications.ui.downloads import (
    PAGE_ROWS,
    AuditedDownload,
    Column,
    Values,
    export_pieces,
    fields_of,
    json_objects,
    json_of,
    pages_by_id,
)


def _as_text(field: str) -> Cast:
    """A time as text of the database, in UTC; parsing times would take longest."""
    return Cast(field, TextField())


def _local_time(text: str | None) -> str | None:
    """Convert a text of the database to ISO 8601 in the default time zone."""
    if text is None:
        return None
    minute, seconds = text[:16], text[16:].removesuffix("+00")
    start, offset = _local_minute(minute, timezone.get_default_timezone())
    if len(seconds) > 3:
        seconds = seconds.ljust(10, "0")  # ":07.080000", as ``isoformat`` does
    return f"{start}{seconds}{offset}"


@lru_cache(maxsize=10_000)
def _local_minute(minute: str, zone: tzinfo) -> tuple[str, str]:
    """The local minute and the offset, which is whole minutes since 1972."""
    utc = datetime.fromisoformat(minute).replace(tzinfo=UTC)
    text = utc.astimezone(zone).isoformat(timespec="minutes")
    return text[:16], text[16:]


ID_COLUMNS = [Column("delivery", "pk"), Column("notification", "notification_id")]

# Equal for all deliveries of a notification: queried once per page of rows.
NOTIFICATION_COLUMNS = [
    # Number of its seal; empty: not sealed yet.
    Column("seal", "seal__number"),
    # Number of the notification that this one resends.
    Column("sent_again_of", "resend_of_id"),
    Column("written_by", "written_by_name"),
    Column("by_superuser", "by_superuser"),
    Column("content", "content"),
    Column("note", "note"),
]

DELIVERY_COLUMNS = [
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
COLUMNS = [
    *ID_COLUMNS,
    *NOTIFICATION_COLUMNS,
    *DELIVERY_COLUMNS,
    Column("attempts", cell=json_of),
]

# The keys of each attempt in the last column.
ATTEMPT_COLUMNS = [
    Column("number", "number"),
    Column("started_at", _as_text("started_at"), _local_time),
    Column("finished_at", _as_text("finished_at"), _local_time),
    Column("outcome", "outcome"),
    Column("http_status", "http_status"),
    Column("action_status", "action_status"),
    Column("error_code", "error_code"),
    Column("error_info", "error_info"),
    Column("reason", "reason"),
    Column("detail", "detail"),
]


def pages(
    filters: DeliveryFilter,
    unsealed: Sequence[UnsealedNotification],
    *,
    size: int = PAGE_ROWS,
    few: int = FEW,
) -> Iterator[list[Values]]:
    """Yield pages of the values of ``COLUMNS``, at most ``size`` rows each, by id.

    Notifications sent after the first page are not included.
    """
    for page in _deliveries(filters, unsealed, size, few):
        notifications = _notifications({row[1] for row in page})
        attempts = _attempts([row[0] for row in page])
        yield [
            (pk, number, *notifications[number], *values, attempts[pk])
            for pk, number, *values in page
        ]


def _deliveries(
    filters: DeliveryFilter,
    unsealed: Sequence[UnsealedNotification],
    size: int,
    few: int,
) -> Iterator[list[tuple[Any, ...]]]:
    # An expression, so that the database finds rare rows by index and sorts them.
    order = F("pk") + 0
    fields = fields_of([*ID_COLUMNS, *DELIVERY_COLUMNS])
    if filters.group_ids is not None and has_few_rows(filters.group_ids, few):
        yield from pages_by_id(matching_rows(filters), fields, size=size, order=order)
        return
    numbers = [row.notification for row in unsealed if filters.may_match(row)]
    groups = {} if filters.group_ids is None else {"group_id__in": filters.group_ids}
    for stretch in id_ranges(filters, numbers, size=size):
        rows = Delivery.objects.filter(notification_id__in=stretch.notifications)
        if stretch.is_dense:
            rows = rows.filter(
                pk__range=(stretch.first, stretch.last),
                **filters.delivery_conditions,
                **groups,
            )
            yield from pages_by_id(rows, fields, size=size)
        else:
            rows = rows.filter(**filters.index_conditions, **groups)
            yield from pages_by_id(rows, fields, size=size, order=order)


def _notifications(numbers: set[int]) -> dict[int, Values]:
    rows = Notification.objects.filter(pk__in=numbers)
    fields = fields_of(NOTIFICATION_COLUMNS)
    return {pk: values for pk, *values in rows.values_list("pk", *fields)}


def _attempts(deliveries: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The attempts of each delivery, ordered by number."""
    first, last = deliveries[0], deliveries[-1]
    if last - first < 2 * len(deliveries):
        # Most ids in this range are on the page: use the range, not thousands of ids.
        rows = Attempt.objects.filter(delivery_id__gte=first, delivery_id__lte=last)
    else:
        rows = Attempt.objects.filter(delivery_id__in=deliveries)
    rows = rows.order_by("delivery_id", "number")
    values = list(rows.values_list("delivery_id", *fields_of(ATTEMPT_COLUMNS)))
    objects = json_objects(ATTEMPT_COLUMNS, [row[1:] for row in values])
    attempts = defaultdict(list)
    for (delivery, *_values), attempt in zip(values, objects, strict=True):
        attempts[delivery].append(attempt)
    return attempts


def download(
    actor: User | str,
    filters: DeliveryFilter,
    unsealed: Sequence[UnsealedNotification],
    *,
    file_format: str,
    parameters: Mapping[str, str],
) -> AuditedDownload:
    """Download the deliveries as a file, for a user or a command.

    ``parameters`` are the filters in the audit entry. The file name has the day and the
    first digits of the head of the seals ("none": nothing is sealed yet), as a copy of
    the head outside of the server. Raises ``PermissionDenied``.
    """
    return AuditedDownload(
        EXPORTED,
        actor,
        [permissions.EXPORT_HISTORY],
        export_pieces(COLUMNS, pages(filters, unsealed), file_format),
        name=f"history-{timezone.localdate():%Y-%m-%d}-{head()[:12] or 'none'}",
        file_format=file_format,
        filters=dict(parameters),
    )
