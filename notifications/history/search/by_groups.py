"""Listings of the deliveries to some chat groups, for searches by group.

Without other filters, the newest deliveries of each group are merged. With other
filters and few deliveries to these groups, all are read and filtered. With many, the
notifications that match the other filters (by their tallies) are queried for these
groups in batches, newest first, until the page is full.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat

from notifications.db.sql import quoted_table
from notifications.history.search.filters import DeliveryFilter
from notifications.history.search.id_ranges import (
    NotificationRange,
    notification_ranges,
)
from notifications.models import Delivery
from notifications.ui.lists import Count, capped, capped_count

# Maximum number of rows that a search reads and filters.
FEW = 20_000
BATCH = 50  # notifications per query


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
        values = ", ".join(["(%s)"] * len(self._group_ids))
        beyond = "" if place is None else f"AND id {sign} {place:d}"
        inside = ">=" if sign == "<" else "<="
        # The nearest ``size`` rows of each group, from the position to the last.
        sql = f"""
            SELECT d.id FROM (
                SELECT column1 AS group_id, (
                    SELECT {least}(id) FROM (
                        SELECT id FROM {quoted_table(Delivery)} WHERE group_id = column1 {beyond}
                        ORDER BY id {direction} LIMIT {size:d}) AS near) AS edge
                FROM (VALUES {values}) AS searched) AS groups
            JOIN {quoted_table(Delivery)} AS d
            ON d.group_id = groups.group_id AND d.id {inside} groups.edge
            {beyond.replace("id", "d.id", 1)}
            ORDER BY d.id {direction} LIMIT {size:d}"""  # noqa: S608  numbers, names of models
        ids = RawSQL(sql, list(self._group_ids))  # noqa: S611  values are parameters
        return _load(ids, "-pk" if sign == "<" else "pk")


class NotificationScan:
    """A listing for groups with many deliveries, with other filters."""

    def __init__(
        self,
        filters: DeliveryFilter,
        unsealed: Sequence[int],
        *,
        batch_size: int = BATCH,
    ) -> None:
        self._group_ids = list(filters.group_ids or ())
        self._delivery_conditions = filters.delivery_conditions
        self._ranges = list(notification_ranges(filters, unsealed))
        self._batch_size = batch_size
        self._result_count = 0
        self._is_all = False

    def older(self, before: int | None, size: int) -> Sequence[Delivery]:
        beyond = {} if before is None else {"pk__lt": before}
        candidates = sorted(
            (e for e in self._ranges if before is None or e.first < before),
            key=lambda e: -e.last,
        )
        ids: list[int] = []
        for batch in _batches(candidates, self._batch_size):
            if len(ids) == size and ids[-1] > batch[0].last:
                break  # the following have no newer row
            ids += self._query(batch, beyond, size, is_older=True)
            ids = sorted(ids, reverse=True)[:size]
        self._result_count, self._is_all = len(ids), before is None and len(ids) < size
        return _load(ids, "-pk")

    def newer(self, after: int, size: int) -> Sequence[Delivery]:
        candidates = sorted(
            (e for e in self._ranges if e.last > after), key=lambda e: e.first
        )
        ids: list[int] = []
        for batch in _batches(candidates, self._batch_size):
            if len(ids) == size and ids[-1] < batch[0].first:
                break  # the following have no older row
            ids += self._query(batch, {"pk__gt": after}, size, is_older=False)
            ids = sorted(ids)[:size]
        self._result_count = len(ids)
        return _load(ids, "pk")

    def count(self) -> Count:
        """The rows of the page, since counting all rows would take a full scan."""
        if self._is_all:
            return Count(self._result_count)
        return Count(max(self._result_count - 1, 0), is_more=True)

    def _query(
        self,
        batch: Sequence[NotificationRange],
        beyond: dict[str, int],
        size: int,
        *,
        is_older: bool,
    ) -> list[int]:
        rows = Delivery.objects.filter(
            notification_id__in=[e.notification for e in batch],
            group_id__in=self._group_ids,
            **beyond,
        )
        if self._delivery_conditions.get("status") == Delivery.Status.ACCEPTED:
            # Nearly all deliveries are: use the index of groups, not that of results.
            # In an expression, SQLite uses no index for the status.
            conditions = {
                n: v for n, v in self._delivery_conditions.items() if n != "status"
            }
            rows = rows.annotate(result=Concat("status", Value(""))).filter(
                result=Delivery.Status.ACCEPTED, **conditions
            )
        else:
            rows = rows.filter(**self._delivery_conditions)
        order = (F("pk") + 0).desc() if is_older else (F("pk") + 0).asc()
        return list(rows.order_by(order).values_list("pk", flat=True)[:size])


def _batches(
    candidates: Sequence[NotificationRange], size: int
) -> Iterator[Sequence[NotificationRange]]:
    for start in range(0, len(candidates), size):
        yield candidates[start : start + size]


def has_few_rows(group_ids: Sequence[str], few: int = FEW) -> bool:
    """Whether these groups have at most ``few`` deliveries."""
    return _to_groups(group_ids).values("pk")[: few + 1].count() <= few


def _to_groups(group_ids: Sequence[str]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(group_id__in=group_ids).order_by()


def _load(ids: Any, order: str) -> Sequence[Delivery]:
    """Load the rows with these ids, so that the database never sorts wide rows."""
    rows = Delivery.objects.history().filter(pk__in=ids)
    return list(rows.select_related("notification").order_by(order))
