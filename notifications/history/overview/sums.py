"""How many deliveries of some days are alike: what every picture is added up from.

Sealed notifications are counted already (tallies); the others are counted as they stand.
No delivery of a sealed notification is read.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from notifications.db.sql import quoted_column, quoted_table, stored
from notifications.models import Delivery, Notification, Tally
from notifications.record.result_counts import count_results
from notifications.ui.dates import end_of, start_of


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days of the current time zone, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        one = self.first.isoformat()
        return one if self.first == self.last else f"{one} – {self.last.isoformat()}"


@dataclass(frozen=True, slots=True)
class DailySum:
    """``count`` deliveries that are alike, made in a span; ``place`` is its place."""

    place: int
    status: str
    group_type: str
    error_code: int | None
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class DailySums:
    """``rows`` in no order.

    ``live``: of notifications of any time that are not sealed; ``being_sent``: of these,
    of those that are being sent.
    """

    rows: Sequence[DailySum]
    live: Sequence[Tally]
    being_sent: Sequence[Tally]


def last_day_ranges(days: int, *, of: int) -> list[DayRange]:
    """Today and the days before it, ``of`` days each; the first may have fewer."""
    today = timezone.localdate()
    ends = [today - timedelta(days=back) for back in range(0, days, of)]
    begin = today - timedelta(days=days - 1)
    return [
        DayRange(max(begin, end - timedelta(days=of - 1)), end)
        for end in reversed(ends)
    ]


def sums(spans: Sequence[DayRange]) -> DailySums:
    """The deliveries made in each of ``spans``; three queries.

    What is sealed meanwhile is counted once: tallies of what was counted live are
    left out.
    """
    one_row = Delivery.objects.filter(notification_id=OuterRef("pk")).order_by()
    sent = list(
        Notification.objects.sent()
        .filter(seal__isnull=True)
        .order_by()
        .annotate(made_at=Subquery(one_row.values("created_at")[:1]))
        .values_list("pk", "status", "sender_name", "made_at")
    )
    unsealed = {pk: status for pk, status, _sender, _at in sent}
    made = {pk: (sender, at) for pk, _status, sender, at in sent}
    live = count_results(unsealed, made)
    found: Counter[tuple[int, str, str, int | None, str]] = Counter()
    for row in live:
        day = timezone.localdate(row.created_at)
        for place, span in enumerate(spans):
            if day in span:
                key = (place, row.status, row.group_type, row.error_code, row.reason)
                found[key] += row.count
    for *alike, count in _of_tallies(spans, unsealed):
        found[tuple(alike)] += count
    return DailySums(
        rows=[DailySum(*key, count) for key, count in found.items()],
        live=live,
        being_sent=[
            row
            for row in live
            if unsealed[row.notification_id] == Notification.Status.SENDING
        ],
    )


def _of_tallies(spans: Sequence[DayRange], without: Collection[int]) -> list[Any]:
    """Rows as ``Sum``: of each span a range of the index of times.

    A function of the database for the day of a time would be asked once a tally, and
    on SQLite that is Python.
    """
    count = quoted_column(Tally, "count")
    ranges: list[Any] = []
    for place, span in enumerate(spans):
        days = start_of(span.first), end_of(span.last)
        ranges += [place, *(stored(Tally, "created_at", time) for time in days)]
    values = ", ".join(["(%s, %s, %s)"] * len(spans))
    left_out = ""
    if without:
        left_out = f"WHERE notification_id NOT IN ({', '.join(['%s'] * len(without))}) "
    with connection.cursor() as cursor:
        # Sorted by the numbers first: half the time of texts first, on SQLite.
        cursor.execute(
            f"WITH span(place, since, until) AS (VALUES {values}) "  # noqa: S608  no text of others
            f"SELECT place, status, group_type, error_code, reason, SUM({count}) "
            f"FROM span JOIN {quoted_table(Tally)} "
            f"ON created_at >= since AND created_at < until {left_out}"
            f"GROUP BY place, error_code, group_type, reason, status",
            [*ranges, *without],
        )
        return list(cursor.fetchall())
