"""How many deliveries of each day are alike: what every picture is added up from.

Sealed notifications are counted already (tallies); the others are counted as they stand.
No delivery of a sealed notification is read.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from notifications.models import Notification, Tally

from .tallies import counted


@dataclass(frozen=True, slots=True)
class Sum:
    """``count`` deliveries that are alike, made on ``day`` of the current time zone."""

    day: date
    status: str
    group_type: str
    error_code: int | None
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Sums:
    """``days`` in their order, also those without a delivery.

    ``live``: of notifications of any time that are not sealed; ``being_sent``: of these,
    of those that are being sent.
    """

    days: Sequence[date]
    rows: Sequence[Sum]
    live: Sequence[Tally]
    being_sent: Sequence[Tally]


def last_days(count: int) -> list[date]:
    """Today in the current time zone, and the days before it."""
    today = timezone.localdate()
    return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]


def sums(days: Sequence[date]) -> Sums:
    """The deliveries made on ``days``, which follow each other; five queries at most.

    What is sealed meanwhile is counted once: tallies of what was counted live are
    left out.
    """
    unsealed = dict(
        Notification.objects.sent()
        .filter(seal__isnull=True)
        .order_by()
        .values_list("pk", "status")
    )
    live = counted(unsealed)
    found: Counter[tuple[date, str, str, int | None, str]] = Counter()
    for row in live:
        day = timezone.localdate(row.created_at)
        if days[0] <= day <= days[-1]:
            key = (day, row.status, row.group_type, row.error_code, row.reason)
            found[key] += row.count
    for place, status, group_type, code, reason, count in _of_tallies(days, unsealed):
        found[days[place], status, group_type, code, reason] += count
    return Sums(
        days=days,
        rows=[Sum(*key, count) for key, count in found.items()],
        live=live,
        being_sent=[
            row
            for row in live
            if unsealed[row.notification_id] == Notification.Status.SENDING
        ],
    )


def _of_tallies(
    days: Sequence[date], without: Collection[int]
) -> list[tuple[int, str, str, int | None, str, int]]:
    """Per day, by its place in ``days``: a range of the index of times for each.

    A function of the database for the day of a time would be asked once a tally, and
    on SQLite that is Python.
    """
    quote = connection.ops.quote_name
    ranges: list[Any] = []
    for place, day in enumerate(days):
        until = day + timedelta(days=1)
        ranges += [place, _stored(start_of(day)), _stored(start_of(until))]
    values = ", ".join(["(%s, %s, %s)"] * len(days))
    left_out = ""
    if without:
        left_out = f"WHERE notification_id NOT IN ({', '.join(['%s'] * len(without))}) "
    with connection.cursor() as cursor:
        # Sorted by the numbers first: half the time of texts first, on SQLite.
        cursor.execute(
            f"WITH day(place, since, until) AS (VALUES {values}) "  # noqa: S608  no text of others
            f"SELECT place, status, group_type, error_code, reason, SUM({quote('count')}) "
            f"FROM day JOIN {quote(Tally._meta.db_table)} "
            f"ON created_at >= since AND created_at < until {left_out}"
            f"GROUP BY place, error_code, group_type, reason, status",
            [*ranges, *without],
        )
        return list(cursor.fetchall())


def _stored(moment: datetime) -> Any:
    """As the column of times holds it."""
    return Tally._meta.get_field("created_at").get_db_prep_value(moment, connection)


def start_of(day: date) -> datetime:
    """Midnight in the current time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
