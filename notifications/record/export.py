"""The rows of an export: one per delivery, with its attempts, in order of id."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from notifications.models import Attempt, Delivery, Notification
from notifications.selectors.by_groups import has_few_rows
from notifications.selectors.history import rows_of
from notifications.selectors.occurring import Live
from notifications.selectors.stretches import stretches
from notifications.selectors.wanted import DeliveryFilter

PAGE = 2000
# Of each delivery, in the order of the file.
COLUMNS = [
    "delivery",
    "notification",
    "seal",  # number of the seal that holds it; empty: not sealed yet
    "sent_again_of",  # number of the notification whose groups this one sent to again
    "sender",
    "by_superuser",
    "created_at",
    "content",
    "note",
    "group_id",
    "group_name",
    "group_type",
    "portion",
    "recipients",
    "status",
    "error_code",
    "error_info",
    "reason",
    "finished_at",
    "attempts",
]
# Plain values are read, since a model per row takes most of the time.
FIELDS = [
    "pk",
    "notification_id",
    "sender_name",
    "created_at",
    "group_id",
    "group_name",
    "group_type",
    "portion",
    "recipients",
    "status",
    "error_code",
    "error_info",
    "reason",
    "finished_at",
]
ATTEMPT_FIELDS = [
    "number",
    "started_at",
    "finished_at",
    "outcome",
    "http_status",
    "error_code",
    "error_info",
    "reason",
]

Values = tuple[Any, ...]


def pages(wanted: DeliveryFilter, live: Sequence[Live]) -> Iterator[list[Values]]:
    """Values in the order of ``COLUMNS``, at most ``PAGE`` rows at once.

    ``recipients`` is a list of member IDs, empty for everyone in the group; times are
    ISO 8601 with their offset; ``attempts`` is a list of dictionaries. Memory does not
    grow with the number of rows. What is sent after the first page is not part of it.
    """
    about: dict[int, Values] = {}
    for rows in _read(wanted, live):
        numbers = {row[1] for row in rows}
        about = {n: values for n, values in about.items() if n in numbers}
        about |= _notifications(numbers - about.keys())
        attempts = _attempts([row[0] for row in rows])
        yield [_values(row, about[row[1]], attempts.get(row[0], [])) for row in rows]


def _read(wanted: DeliveryFilter, live: Sequence[Live]) -> Iterator[list[Values]]:
    if wanted.group_ids is not None and has_few_rows(wanted.group_ids):
        yield from _by_id(rows_of(wanted), is_dense=False)
        return
    numbers = [row.notification for row in live if wanted.may_mean(row)]
    conditions = wanted.alike
    if wanted.group_ids is not None:
        conditions["group_id__in"] = list(wanted.group_ids)
    for stretch in stretches(wanted, numbers):
        rows = Delivery.objects.filter(
            notification_id__in=stretch.notifications,
            pk__range=(stretch.first, stretch.last),
            **conditions,
        )
        yield from _by_id(rows, is_dense=stretch.is_dense)


def _by_id(rows: QuerySet[Delivery], *, is_dense: bool) -> Iterator[list[Values]]:
    # Ordered by a sum, which no index holds, what is rare is looked up and then sorted.
    order = F("pk").asc() if is_dense else (F("pk") + 0).asc()
    following = rows.order_by(order).values_list(*FIELDS)
    last = 0
    while page := list(following.filter(pk__gt=last)[:PAGE]):
        yield page
        if len(page) < PAGE:
            return
        last = page[-1][0]


def _values(row: Values, about: Values, attempts: list[dict[str, Any]]) -> Values:
    (
        pk, notification, sender, created_at, group_id, group_name, group_type, portion,
        recipients, status, code, info, reason, finished_at,
    ) = row  # fmt: skip
    seal, resend_of, by_superuser, content, note = about
    return (
        pk, notification, seal, resend_of, sender, by_superuser, _time(created_at),
        content, note, group_id, group_name, group_type, portion,
        recipients.splitlines(), status, code, info, reason, _time(finished_at),
        attempts,
    )  # fmt: skip


def _notifications(numbers: set[int]) -> dict[int, Values]:
    """What the deliveries of each have in common, read once."""
    if not numbers:
        return {}
    found = Notification.objects.filter(pk__in=numbers).values_list(
        "pk", "seal__number", "resend_of_id", "by_superuser", "content", "note"
    )
    return {pk: tuple(values) for pk, *values in found}


def _attempts(deliveries: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The calls for each delivery, in their order."""
    found: dict[int, list[dict[str, Any]]] = {}
    rows = Attempt.objects.filter(delivery_id__in=deliveries).order_by("number")
    for pk, number, started_at, finished_at, *result in rows.values_list(
        "delivery_id", *ATTEMPT_FIELDS
    ):
        values = (number, _time(started_at), _time(finished_at), *result)
        found.setdefault(pk, []).append(dict(zip(ATTEMPT_FIELDS, values, strict=True)))
    return found


def _time(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).isoformat() if moment else None
