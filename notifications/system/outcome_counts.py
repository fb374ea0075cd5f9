"""The number of ended deliveries by result: counters of the metrics, which never decrease."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from django.db.models import Count, Max, QuerySet

from notifications.db.snapshot import snapshot
from notifications.models import Delivery, Notification, Tally
from notifications.record.result_counts import count_results
from notifications.system import health as system_health

# Sender and time of creation are not used here.
UNKNOWN_ORIGIN = ("", datetime.min.replace(tzinfo=UTC))
# "recall", "correction", or "" for a send, and status, error code and reason.
Counts: TypeAlias = Counter[tuple[str, str, int | None, str]]
# The kind of each recall and correction, by its number; they are few.
Kinds: TypeAlias = Mapping[int, str]


class OutcomeCounts:
    """Counts ended deliveries; caches the sums over sealed notifications.

    Result counts are only added, in the order of the seals and of their ids. The first sum
    over all of them takes a third of a second for ten million deliveries.
    """

    def __init__(self) -> None:
        # The last result count in the sums, and the sums; replaced together, for threads.
        self._sealed: tuple[int, Counts] = (0, Counter())

    def read(self) -> Counts:
        """The present counts, from one snapshot. Seven queries.

        A notification that is sealed between two queries is counted once: its result
        counts have ids above ``last``, and those of counted notifications are excluded.
        A delivery about which Tencent is queried is not counted yet: it may still be
        accepted or failed, and a counter must not decrease.
        """
        with snapshot():
            return self._read()

    def _read(self) -> Counts:
        last = Tally.objects.aggregate(last=Max("pk"))["last"] or 0
        live = system_health.unsealed().notifications
        amendments = Notification.objects.filter(amends__isnull=False)
        kinds: Kinds = dict(amendments.values_list("pk", "channel"))
        counts: Counts = Counter()
        for row in count_results(live, dict.fromkeys(live, UNKNOWN_ORIGIN)):
            if row.status in Delivery.ENDED:
                kind = kinds.get(row.notification_id, "")
                counts[kind, row.status, row.error_code, row.reason] += row.count
        for number, code, reason, count in _open_queries():
            kind = kinds.get(number, "")
            counts[kind, Delivery.Status.UNCONFIRMED, code, reason] -= count
        counts += self._sealed_counts(last, kinds)
        return counts + _sum(
            Tally.objects.filter(pk__gt=last).exclude(notification__in=live), kinds
        )

    def _sealed_counts(self, last: int, kinds: Kinds) -> Counts:
        cached_last, sums = self._sealed
        if last > cached_last:
            tallies = Tally.objects.filter(pk__gt=cached_last, pk__lte=last)
            sums = sums + _sum(tallies, kinds)
            self._sealed = (last, sums)
        return sums


def _open_queries() -> QuerySet[Delivery, tuple[int, int | None, str, int]]:
    """Notification, error code, reason and number of the deliveries about which Tencent
    is queried."""
    rows = Delivery.objects.filter(next_query_at__isnull=False).order_by()
    return rows.values_list("notification_id", "error_code", "reason").annotate(
        count=Count("pk")
    )


def _sum(tallies: QuerySet[Tally], kinds: Kinds) -> Counts:
    """Sum in Python: for GROUP BY, SQLite would scan the index of codes."""
    counts: Counts = Counter()
    rows = tallies.order_by().values_list(
        "notification_id", "status", "error_code", "reason", "count"
    )
    for number, status, code, reason, count in rows.iterator():
        counts[kinds.get(number, ""), status, code, reason] += count
    return counts
