"""The rows of an export: one per delivery, with its attempts, in order of id."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from json.encoder import encode_basestring

from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from notifications.history.export.plan import stretches
from notifications.history.search.by_groups import has_few_rows
from notifications.history.search.facets import Live
from notifications.history.search.filters import DeliveryFilter
from notifications.history.search.queries import rows_of
from notifications.models import Attempt, Delivery, Notification
from notifications.ui.downloads import Values

PAGE = 2000

MINUTES = 10_000  # that are remembered

# What all deliveries of a notification have in common: read and written out once.
ABOUT = [
    "notification",
    "seal",  # number of the seal that holds it; empty: not sealed yet
    "sent_again_of",  # number of the notification whose groups this one sent to again
    "by_superuser",
    "content",
    "note",
]

# Of each delivery itself.
OWN = [
    "sender",
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
    "attempts",
]

# In the order of the file.
COLUMNS = ["delivery", *ABOUT, *OWN]


def _text(column: str) -> Cast:
    """A time as the database writes it, in UTC: to take it apart costs most of all."""
    return Cast(column, TextField())


# Plain values are read, since a model per row takes most of the time.
FIELDS: list[str | Cast] = [
    "pk",
    "notification_id",
    "sender_name",
    _text("created_at"),
    "group_id",
    "group_name",
    "group_type",
    "portion",
    "recipients",
    "status",
    "error_code",
    "error_info",
    "reason",
    _text("finished_at"),
]


@dataclass(frozen=True, slots=True)
class Page:
    """``rows``: number of delivery and notification, then the values of ``OWN``.

    ``about``: the values of ``ABOUT`` by number of notification. ``recipients`` is a
    list of member IDs, empty for everyone in the group; times are ISO 8601 with their
    offset; ``attempts`` is a JSON array, as text.
    """

    rows: list[tuple[int, int, Values]]
    about: dict[int, Values]


def pages(wanted: DeliveryFilter, live: Sequence[Live]) -> Iterator[Page]:
    """At most ``PAGE`` rows at once, in order of id.

    Memory does not grow with the number of rows. What is sent after the first page is
    not part of it.
    """
    local = LocalTime(timezone.get_current_timezone())
    about: dict[int, Values] = {}
    for rows in _read(wanted, live):
        numbers = {row[1] for row in rows}
        about = {n: values for n, values in about.items() if n in numbers}
        about |= _notifications(numbers - about.keys())
        attempts = _attempts([row[0] for row in rows], local)
        yield Page(
            [
                (row[0], row[1], _values(row, attempts.get(row[0], ()), local))
                for row in rows
            ],
            about,
        )


def _read(wanted: DeliveryFilter, live: Sequence[Live]) -> Iterator[list[Values]]:
    if wanted.group_ids is not None and has_few_rows(wanted.group_ids):
        yield from _by_id(rows_of(wanted), is_dense=False)
        return
    numbers = [row.notification for row in live if wanted.may_mean(row)]
    groups = {} if wanted.group_ids is None else {"group_id__in": wanted.group_ids}
    for stretch in stretches(wanted, numbers):
        rows = Delivery.objects.filter(notification_id__in=stretch.notifications)
        if stretch.is_dense:
            rows = rows.filter(
                pk__range=(stretch.first, stretch.last), **wanted.alike, **groups
            )
        else:
            rows = rows.filter(**wanted.looked_up, **groups)
        yield from _by_id(rows, is_dense=stretch.is_dense)


def _by_id(rows: QuerySet[Delivery], *, is_dense: bool) -> Iterator[list[Values]]:
    # By a sum, which no index holds, so that what is rare is looked up and then sorted.
    rows = rows.annotate(place=F("pk") if is_dense else F("pk") + 0)
    following = rows.order_by("place").values_list(*FIELDS)
    last = 0
    while page := list(following.filter(place__gt=last)[:PAGE]):
        yield page
        if len(page) < PAGE:
            return
        last = page[-1][0]


def _values(row: Values, attempts: Iterable[str], local: "LocalTime") -> Values:
    (
        _pk, _notification, sender, created_at, group_id, group_name, group_type, portion,
        recipients, status, code, info, reason, finished_at,
    ) = row  # fmt: skip
    return (
        sender, local(created_at), group_id, group_name, group_type, portion,
        recipients.splitlines(), status, code, info, reason, local(finished_at),
        f"[{', '.join(attempts)}]",
    )  # fmt: skip


def _notifications(numbers: set[int]) -> dict[int, Values]:
    """What the deliveries of each have in common, read once."""
    if not numbers:
        return {}
    found = Notification.objects.filter(pk__in=numbers).values_list(
        "pk", "seal__number", "resend_of_id", "by_superuser", "content", "note"
    )
    return {values[0]: values for values in found}


def _attempts(deliveries: list[int], local: "LocalTime") -> dict[int, list[str]]:
    """The calls for each delivery, in their order, each as a JSON object."""
    first, last = deliveries[0], deliveries[-1]
    if last - first < 2 * len(deliveries):
        # As good as all between these ids: no list of thousands is sent.
        rows = Attempt.objects.filter(delivery_id__gte=first, delivery_id__lte=last)
    else:
        rows = Attempt.objects.filter(delivery_id__in=deliveries)
    found: dict[int, list[str]] = {}
    times = _text("started_at"), _text("finished_at")
    for pk, number, started_at, finished_at, outcome, status, code, info, reason in (
        rows.order_by("delivery_id", "number").values_list(
            "delivery_id", "number", *times,
            "outcome", "http_status", "error_code", "error_info", "reason",
        )
    ):  # fmt: skip
        # Put together by hand: a dictionary and its JSON take three times as long. Only
        # two are texts; the rest are numbers and words of ours.
        found.setdefault(pk, []).append(
            f'{{"number": {number}, "started_at": "{local(started_at)}", '
            f'"finished_at": "{local(finished_at)}", "outcome": "{outcome}", '
            f'"http_status": {_number(status)}, "error_code": {_number(code)}, '
            f'"error_info": {encode_basestring(info)}, "reason": {encode_basestring(reason)}}}'
        )
    return found


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


class LocalTime:
    """Times of the database, text in UTC, as ISO 8601 in a zone, with the offset.

    The zone is asked once a minute that occurs: offsets are whole minutes since 1972.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._minutes: dict[str, tuple[str, str]] = {}

    def __call__(self, text: str | None) -> str | None:
        if text is None:
            return None
        minute, seconds = text[:16], text[16:].removesuffix("+00")
        if minute not in self._minutes:
            self._minutes[minute] = self._ask(minute)
        start, offset = self._minutes[minute]
        if len(seconds) > 3:
            seconds = seconds.ljust(10, "0")  # ":07.080000", as Python writes it
        return f"{start}{seconds}{offset}"

    def _ask(self, minute: str) -> tuple[str, str]:
        if len(self._minutes) > MINUTES:
            self._minutes.clear()
        utc = datetime.fromisoformat(minute).replace(tzinfo=UTC)
        written = utc.astimezone(self._zone).isoformat(timespec="minutes")
        return written[:16], written[16:]
