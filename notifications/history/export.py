"""The export of the history: one row per delivery, with its attempts and queries, by id."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Model, Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from notifications import permissions
from notifications.history.audit_events import EXPORTED
from notifications.history.search.by_groups import FEW, has_few_rows
from notifications.history.search.facets import UnsealedNotification
from notifications.history.search.filters import DeliveryFilter
from notifications.history.search.id_ranges import id_ranges
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


def _unix_time(seconds: int | None) -> str | None:
    """Convert a time of Tencent's clock like the others."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return timezone.localtime(moment, timezone.get_default_timezone()).isoformat()


def _from_account(message_options: str) -> str:
    """The account that members see as the sender; empty for the administrator."""
    if not message_options:
        return ""
    return str(json.loads(message_options).get("from_account", ""))


ID_COLUMNS = [Column("delivery", "pk"), Column("notification", "notification_id")]

# Equal for all deliveries of a notification: queried once per page of rows. The options
# are the last one: see ``_notifications``.
NOTIFICATION_COLUMNS = [
    # Number of its seal; empty: not sealed yet.
    Column("seal", "seal__number"),
    # Number of the notification that this one resends.
    Column("sent_again_of", "resend_of_id"),
    # Number of the notification that this recall or correction changes.
    Column("amends", "amends_id"),
    Column("written_by", "written_by_name"),
    Column("by_superuser", "by_superuser"),
    Column("content", "content"),
    Column("note", "note"),
    Column("channel", "channel"),
    Column("from_account", "message_options"),
]

# ``amended_delivery`` and ``random`` are the last ones: see ``pages``.
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
    # The delivery whose message a recall or a correction changes.
    Column("amended_delivery", "amended_delivery"),
    # The number of the message, by which Tencent tells a repeat.
    Column("random", "random"),
]

# Of deliveries with one of the last two: queried for them only, since most have none.
MESSAGE_COLUMNS = [
    Column("msg_seq", "msg_seq"),
    Column("msg_time", "msg_time"),
    Column("drop_reason", "drop_reason"),
    # Whether the history of the group has another text than the one that was sent.
    Column("is_altered", "is_altered"),
]
NO_MESSAGE: Values = (None, None, "", False)
NO_ROWS: Sequence[Mapping[str, Any]] = ()

# In the order of the file.
COLUMNS = [
    *ID_COLUMNS,
    *NOTIFICATION_COLUMNS,
    *DELIVERY_COLUMNS,
    *MESSAGE_COLUMNS,
    # Of the last attempt with an answer.
    Column("action_status"),
    Column("attempts", cell=json_of),
    Column("queries", cell=json_of),
]

# The keys of each attempt in the column "attempts".
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

# The keys of each query in the column "queries".
QUERY_COLUMNS = [
    Column("number", "number"),
    Column("kind", "kind"),
    Column("asked_by", "asked_by"),
    Column("started_at", _as_text("started_at"), _local_time),
    Column("finished_at", _as_text("finished_at"), _local_time),
    # A JSON list in each: the calls, and the answers to them.
    Column("request", "request"),
    Column("response", "response"),
    Column("verdict", "verdict"),
    Column("error_code", "error_code"),
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
    return {
        pk: [*values, _from_account(options)]
        for pk, *values, options in rows.values_list("pk", *fields)
    }


def _messages(deliveries: list[int]) -> dict[int, Values]:
    if not deliveries:
        return {}
    rows = Delivery.objects.filter(_of_page("pk", deliveries))
    return {
        pk: (msg_seq, _unix_time(msg_time), *values)
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
