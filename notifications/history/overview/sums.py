"""Sums of deliveries per span of days: the source of all figures of the Overview.

Sealed notifications have stored result counts (``Tally``); the deliveries of the others
are counted. No delivery of a sealed notification is read. Recalls and corrections are no
sends, and not counted.
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
    """Days of the current time zone; both ends are included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        first = self.first.isoformat()
        return first if self.first == self.last else f"{first} – {self.last}"


@dataclass(frozen=True, slots=True)
class DailySum:
    """``count`` deliveries of the span at ``span_index``, equal in all other fields."""

    span_index: int
    status: str
    group_type: str
    error_code: int | None
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class DailySums:
    """Unordered ``rows``, and the result counts of unsealed notifications.

    ``unsealed_counts`` covers unsealed notifications of any time; ``being_sent`` is the
    part of it for notifications with the status "sending".
    """

    rows: Sequence[DailySum]
    unsealed_counts: Sequence[Tally]
    being_sent: Sequence[Tally]


def last_day_ranges(days: int, *, of: int) -> list[DayRange]:
    """Split the last ``days`` days into spans of ``of`` days; the first may be shorter."""
    today = timezone.localdate()
    ends = [today - timedelta(days=back) for back in range(0, days, of)]
    begin = today - timedelta(days=days - 1)
    return [
        DayRange(max(begin, end - timedelta(days=of - 1)), end)
        for end in reversed(ends)
    ]


def daily_sums(spans: Sequence[DayRange]) -> DailySums:
    """Sum the deliveries created in each of ``spans``; three queries.

    A notification sealed between the queries is counted once: its tallies are excluded
    since it was counted as unsealed.
    """
    one_row = Delivery.objects.filter(notification_id=OuterRef("pk")).order_by()
    sent = list(
        Notification.objects.sent()
        .filter(seal__isnull=True, amends__isnull=True)
        .order_by()
        .annotate(made_at=Subquery(one_row.values("created_at")[:1]))
        .values_list("pk", "status", "sender_name", "made_at")
    )
    unsealed = {pk: status for pk, status, _sender, _at in sent}
    sender_and_time = {pk: (sender, at) for pk, _status, sender, at in sent}
    unsealed_counts = count_results(unsealed, sender_and_time)
    counts: Counter[tuple[int, str, str, int | None, str]] = Counter()
    for row in unsealed_counts:
        day = timezone.localdate(row.created_at)
        for index, span in enumerate(spans):
            if day in span:
                key = (index, row.status, row.group_type, row.error_code, row.reason)
                counts[key] += row.count
    for *key_values, count in _stored_sums(spans, unsealed):
        counts[tuple(key_values)] += count
    return DailySums(
        rows=[DailySum(*key, count) for key, count in counts.items()],
        unsealed_counts=unsealed_counts,
        being_sent=[
            row
            for row in unsealed_counts
            if unsealed[row.notification_id] == Notification.Status.SENDING
        ],
    )


def _stored_sums(spans: Sequence[DayRange], without: Collection[int]) -> list[Any]:
    """Rows with the fields of ``DailySum``; each span is a range of the index of times.

    A database function for the day of a time would be called for each tally; on SQLite
    it is a Python function.
    """
    count = quoted_column(Tally, "count")
    ranges: list[Any] = []
    for span_index, span in enumerate(spans):
        days = start_of(span.first), end_of(span.last)
        ranges += [span_index, *(stored(Tally, "created_at", time) for time in days)]
    values = ", ".join(["(%s, %s, %s)"] * len(spans))
    exclusion = (
        f"WHERE notification_id NOT IN (SELECT id FROM {quoted_table(Notification)} "  # noqa: S608  names of the models
        "WHERE amends_id IS NOT NULL) "
    )
    if without:
        placeholders = ", ".join(["%s"] * len(without))
        exclusion += f"AND notification_id NOT IN ({placeholders}) "
    with connection.cursor() as cursor:
        # On SQLite, grouping by numbers before texts takes half the time.
        cursor.execute(
            f"WITH span(span_index, since, until) AS (VALUES {values}) "  # noqa: S608  no user input
            f"SELECT span_index, status, group_type, error_code, reason, SUM({count}) "
            f"FROM span JOIN {quoted_table(Tally)} "
            f"ON created_at >= since AND created_at < until {exclusion}"
            f"GROUP BY span_index, error_code, group_type, reason, status",
            [*ranges, *without],
        )
        return list(cursor.fetchall())
