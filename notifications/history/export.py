"""The export of the history: one row per delivery, with its attempts and queries, by id."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Model, Q
from django.utils import timezone

from notifications import permissions
from notifications.history.audit_events import EXPORTED
from notifications.history.export_columns import (
    ATTEMPT_COLUMNS,
    COLUMNS,
    DELIVERY_COLUMNS,
    ID_COLUMNS,
    MESSAGE_COLUMNS,
    NOTIFICATION_COLUMNS,
    QUERY_COLUMNS,
    from_account,
    unix_time,
)
from notifications.history.search.by_groups import FEW, has_few_rows
from notifications.history.search.facets import UnsealedNotification
from notifications.history.search.filters import DeliveryFilter
from notifications.history.search.id_ranges import IdRange, id_ranges
from notifications.history.search.queries import matching_rows
from notifications.models import Attempt, Delivery, DeliveryQuery, Notification
from notifications.record.queries import head
from notifications.ui.downloads import (
    PAGE_ROWS,
    AuditedDownload,
    Column,
    Values,
    export_pieces,
    fields_of,
    json_objects,
    pages_by_id,
)

# Rows of the first query for rare rows; each further one reads twice as many.
FIRST_ROWS = 100

NO_MESSAGE: Values = (None, None, "", False)  # of ``MESSAGE_COLUMNS``
NO_ROWS: Sequence[Mapping[str, Any]] = ()


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
        attempts = _rows_of(Attempt, ATTEMPT_COLUMNS, [row[0] for row in page])
        messages = [row[0] for row in page if row[-2:] != (None, None)]
        answers = _messages(messages)
        queries = _rows_of(DeliveryQuery, QUERY_COLUMNS, messages)
        yield [
            (
                pk,
                number,
                *notifications[number],
                *values,
                *answers.get(pk, NO_MESSAGE),
                _action_status(attempts.get(pk, NO_ROWS)),
                attempts.get(pk, NO_ROWS),
                queries.get(pk, NO_ROWS),
            )
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
    few_rows = min(FIRST_ROWS, size)
    for stretch in _growing(id_ranges(filters, numbers, size=few_rows), size):
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


def _growing(ranges: Iterable[IdRange], size: int) -> Iterator[IdRange]:
    """Combine ranges until they have ``size`` rows; the first ones have fewer.

    Rare rows may be scattered over the whole table: reading each takes as long as a
    page of adjacent ones. So the file begins with few of them.
    """
    limit = min(FIRST_ROWS, size)
    combined: IdRange | None = None
    for id_range in ranges:
        if combined is None:
            combined = id_range
        elif combined.rows + id_range.rows <= limit:
            combined.notifications += id_range.notifications
            combined.last = id_range.last
            combined.rows += id_range.rows
        else:
            yield combined
            limit = min(2 * limit, size)
            combined = id_range
    if combined is not None:
        yield combined


def _notifications(numbers: set[int]) -> dict[int, Values]:
    rows = Notification.objects.filter(pk__in=numbers)
    fields = fields_of(NOTIFICATION_COLUMNS)
    return {
        pk: [*values, from_account(options)]
        for pk, *values, options in rows.values_list("pk", *fields)
    }


def _messages(deliveries: list[int]) -> dict[int, Values]:
    if not deliveries:
        return {}
    rows = Delivery.objects.filter(_of_page("pk", deliveries))
    return {
        pk: (msg_seq, unix_time(msg_time), *values)
        for pk, msg_seq, msg_time, *values in rows.values_list(
            "pk", *fields_of(MESSAGE_COLUMNS)
        )
    }


def _of_page(column: str, deliveries: list[int]) -> Q:
    """A range, if most of its ids are on the page: not thousands of ids."""
    first, last = deliveries[0], deliveries[-1]
    if last - first < 2 * len(deliveries):
        return Q(**{f"{column}__gte": first, f"{column}__lte": last})
    return Q(**{f"{column}__in": deliveries})


def _rows_of(
    model: type[Model], columns: Sequence[Column], deliveries: list[int]
) -> dict[int, list[dict[str, Any]]]:
    """The attempts or queries of each delivery, ordered by number."""
    if not deliveries:
        return {}
    rows = model._base_manager.filter(_of_page("delivery_id", deliveries))
    rows = rows.order_by("delivery_id", "number")
    values = list(rows.values_list("delivery_id", *fields_of(columns)))
    objects = json_objects(columns, [row[1:] for row in values])
    rows_of: dict[int, list[dict[str, Any]]] = {}
    for (delivery, *_values), row in zip(values, objects, strict=True):
        rows_of.setdefault(delivery, []).append(row)
    return rows_of


def _action_status(attempts: Sequence[Mapping[str, str]]) -> str:
    for attempt in reversed(attempts):
        if status := attempt["action_status"]:
            return status
    return ""


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
