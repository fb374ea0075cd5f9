"""Listings of the deliveries to some chat groups, for searches by group.

Without other filters, the newest deliveries of each group are merged. With other
filters and few deliveries to these groups, all are read and filtered. With many, the
result counts (``Tally``) that match the other filters are read in batches, newest first,
and the deliveries of their notifications to these groups, until the page is full. A
batch has as many notifications as a number of reads allows: one read for each delivery
that matches the other filters or for each group, whichever is less.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from django.db.models import F, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat

from notifications.db.expressions import InList
from notifications.db.sql import json_cell, json_rows, quoted_table
from notifications.history.search.by_result_counts import (
    matching_counts,
    tallies_between,
)
from notifications.history.search.filters import DeliveryFilter
from notifications.models import Delivery, Tally
from notifications.ui.lists import Count, capped, capped_count

# Maximum number of rows that a search reads and filters.
FEW = 20_000
# Rows that the first query of a scan reads; each following reads GROWTH times as many.
READS = 4000
GROWTH = 4


class CountOfNotification(NamedTuple):
    """A result count that matches: its deliveries and the last of them."""

    notification: int
    rows: int
    last: int


# Result counts in the order of the list, and the id up to which they are complete.
Batch: TypeAlias = tuple[list[CountOfNotification], int]


class FewRows:
    """A listing for groups with few deliveries."""

    def __init__(self, rows: QuerySet[Delivery]) -> None:
        self._rows = rows

    def older(self, before: int | None, size: int) -> Sequence[Delivery]:
        rows = self._rows if before is None else self._rows.filter(pk__lt=before)
        # Order by an expression: by the plain id, a planner may scan the whole table.
        return _load(rows.order_by((F("pk") + 0).desc()).values("pk")[:size], "-pk")

    def newer(self, after: int, size: int) -> Sequence[Delivery]:
        rows = self._rows.filter(pk__gt=after)
        return _load(rows.order_by((F("pk") + 0).asc()).values("pk")[:size], "pk")

    def count(self) -> Count:
        return capped(capped_count(self._rows))


class NewestOfEach:
    """A listing of all deliveries to some groups, without other filters."""

    def __init__(self, group_ids: Sequence[str]) -> None:
        self._group_ids = group_ids

    def older(self, before: int | None, size: int) -> Sequence[Delivery]:
        return self._rows("<", before, size)

    def newer(self, after: int, size: int) -> Sequence[Delivery]:
        return self._rows(">", after, size)

    def count(self) -> Count:
        return capped(capped_count(_to_groups(self._group_ids)))

    def _rows(self, sign: str, place: int | None, size: int) -> Sequence[Delivery]:
        direction, least = ("DESC", "MIN") if sign == "<" else ("ASC", "MAX")
        beyond = "" if place is None else f"AND id {sign} {place:d}"
        inside = ">=" if sign == "<" else "<="
        # The nearest ``size`` rows of each group, from the position to the last.
        sql = f"""
            SELECT d.id FROM (
                SELECT searched.group_id, (
                    SELECT {least}(id) FROM (
                        SELECT id FROM {quoted_table(Delivery)}
                        WHERE group_id = searched.group_id {beyond}
                        ORDER BY id {direction} LIMIT {size:d}) AS near) AS edge
                FROM (SELECT {json_cell(0, Delivery, "group_id")} AS group_id
                    FROM {json_rows()}) AS searched) AS groups
            JOIN {quoted_table(Delivery)} AS d
            ON d.group_id = groups.group_id AND d.id {inside} groups.edge
            {beyond.replace("id", "d.id", 1)}
            ORDER BY d.id {direction} LIMIT {size:d}"""  # noqa: S608  numbers, names of models
        groups = json.dumps([[group_id] for group_id in self._group_ids])
        ids = RawSQL(sql, [groups])  # noqa: S611  values are parameters
        return _load(ids, "-pk" if sign == "<" else "pk")


class NotificationScan:
    """A listing for groups with many deliveries, with other filters."""

    def __init__(
        self, filters: DeliveryFilter, unsealed: Sequence[int], *, reads: int = READS
    ) -> None:
        self._filters = filters
        self._group_ids = list(filters.group_ids or ())
        self._unsealed = list(unsealed)
        self._tallies = matching_counts(filters)
        self._reads = reads
        self._result_count = 0
        self._is_all = False

    def older(self, before: int | None, size: int) -> Sequence[Delivery]:
        ids = self._unsealed_ids("lt", before, size)
        queried = set(self._unsealed)
        for counts, edge in self._older_counts(before):
            ids += self._ids(counts, queried, "lt", before, size)
            ids = sorted(ids, reverse=True)[:size]
            if len(ids) == size and ids[-1] >= edge:
                break
        self._result_count, self._is_all = len(ids), before is None and len(ids) < size
        return _load(ids, "-pk")

    def newer(self, after: int, size: int) -> Sequence[Delivery]:
        ids = self._unsealed_ids("gt", after, size)
        queried = set(self._unsealed)
        for counts, edge in self._newer_counts(after):
            ids += self._ids(counts, queried, "gt", after, size)
            ids = sorted(ids)[:size]
            if len(ids) == size and ids[-1] <= edge:
                break
        self._result_count = len(ids)
        return _load(ids, "pk")

    def count(self) -> Count:
        """The rows of the page, since counting all rows would take a full scan."""
        if self._is_all:
            return Count(self._result_count)
        return Count(max(self._result_count - 1, 0), is_more=True)

    def _older_counts(self, before: int | None) -> Iterator[Batch]:
        """Yield all rows from the edge of the batch up are in this or an earlier one."""
        around: list[CountOfNotification] = []
        below = self._tallies.order_by("-last_delivery")
        if before is not None:
            around = _counts(self._around(before, before))
            below = below.filter(last_delivery__lt=before)
        reads = self._reads
        while counts := self._first_counts(below, reads):
            edge = counts[-1].last
            yield around + counts, edge
            around, below = [], below.filter(last_delivery__lt=edge)
            reads *= GROWTH
        if around:
            yield around, 0

    def _newer_counts(self, after: int) -> Iterator[Batch]:
        """Yield all rows down from the edge of the batch are in this or an earlier one."""
        edge, reads = after, self._reads
        above = self._tallies.order_by("last_delivery")
        while counts := self._first_counts(above.filter(last_delivery__gt=edge), reads):
            edge = counts[-1].last
            yield counts + _counts(self._around(edge + 1, edge + 1)), edge
            reads *= GROWTH

    def _around(self, first_below: int, last_from: int) -> QuerySet[Tally]:
        return self._tallies.filter(
            pk__in=tallies_between(first_below=first_below, last_from=last_from)
        ).order_by()

    def _first_counts(
        self, tallies: QuerySet[Tally], reads: int
    ) -> list[CountOfNotification]:
        """The first of them, whose deliveries take about ``reads`` reads."""
        counts = _counts(tallies[: max(reads // 4, 1)])
        rows: Counter[int] = Counter()
        cost = 0
        for place, count in enumerate(counts, start=1):
            cost -= self._cost(rows[count.notification])
            rows[count.notification] += count.rows
            cost += self._cost(rows[count.notification])
            if cost >= reads:
                return counts[:place]
        return counts

    def _cost(self, rows: int) -> int:
        """The reads for a notification with so many rows that match the other filters."""
        return min(rows, len(self._group_ids))

    def _unsealed_ids(self, sign: str, place: int | None, size: int) -> list[int]:
        if not self._unsealed:
            return []
        return self._query(self._by_group(self._unsealed), sign, place, size)

    def _ids(
        self,
        counts: Iterable[CountOfNotification],
        queried: set[int],
        sign: str,
        place: int | None,
        size: int,
    ) -> list[int]:
        """The matching ids of these notifications, unless they were queried before."""
        rows: Counter[int] = Counter()
        for count in counts:
            if count.notification not in queried:
                rows[count.notification] += count.rows
        if not rows:
            return []
        queried.update(rows)
        numbers = list(rows)
        if rows.total() < len(numbers) * len(self._group_ids):
            return self._query(self._by_result(numbers), sign, place, size)
        return self._query(self._by_group(numbers), sign, place, size)

    def _by_group(self, numbers: Sequence[int]) -> QuerySet[Delivery]:
        """One lookup in an index for each notification and group."""
        conditions = dict(self._filters.delivery_conditions)
        rows = Delivery.objects.filter(
            InList("notification_id", numbers), InList("group_id", self._group_ids)
        )
        if status := conditions.pop("status", None):
            # In an expression, no index is used for it.
            rows = rows.alias(result=Concat("status", Value(""))).filter(result=status)
        return rows.filter(**conditions)

    def _by_result(self, numbers: Sequence[int]) -> QuerySet[Delivery]:
        """All rows with the result, by the index of results."""
        return Delivery.objects.filter(
            InList("notification_id", numbers),
            InList(Concat("group_id", Value("")), self._group_ids),
            **self._filters.index_conditions,
        )

    def _query(
        self, rows: QuerySet[Delivery], sign: str, place: int | None, size: int
    ) -> list[int]:
        # An expression: with the plain id, SQLite reads all rows of the groups beyond it.
        rows = rows.alias(place=F("pk") + 0)
        if place is not None:
            rows = rows.filter(**{f"place__{sign}": place})
        ordered = rows.order_by("-place" if sign == "lt" else "place")
        return list(ordered.values_list("pk", flat=True)[:size])


def _counts(tallies: QuerySet[Tally]) -> list[CountOfNotification]:
    rows = tallies.values_list("notification_id", "count", "last_delivery")
    return [CountOfNotification(*row) for row in rows]


def has_few_rows(group_ids: Sequence[str], few: int = FEW) -> bool:
    """Whether these groups have at most ``few`` deliveries."""
    return _to_groups(group_ids).values("pk")[: few + 1].count() <= few


def _to_groups(group_ids: Sequence[str]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(InList("group_id", group_ids)).order_by()


def _load(ids: Any, order: str) -> Sequence[Delivery]:
    """Load the rows with these ids, so that the database never sorts wide rows."""
    rows = Delivery.objects.history().filter(pk__in=ids)
    return list(rows.select_related("notification").order_by(order))
