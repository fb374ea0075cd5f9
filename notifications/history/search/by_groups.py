"""The deliveries to some chat groups: what a search for a group finds.

Without another filter the newest of each group are merged. With one: of groups with few
deliveries all are read, and the filters are asked of them; with many, the notifications
that have such deliveries at all (tallies) are walked through, newest first, and asked
for these groups, until the page is full.
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

# As many rows are read and asked for a search, and no more.
FEW = 20_000
BATCH = 50  # notifications asked at once


class FewRows:
    """A listing over the rows of groups that have few."""

    def __init__(self, rows: QuerySet[Delivery]) -> None:
        self._rows = rows

    def older(self, before: int | None, size: int) -> Sequence[Delivery]:
        rows = self._rows if before is None else self._rows.filter(pk__lt=before)
        # By a sum, which no index holds: else a planner may walk down the whole table.
        return _whole(rows.order_by((F("pk") + 0).desc()).values("pk")[:size], "-pk")

    def newer(self, after: int, size: int) -> Sequence[Delivery]:
        rows = self._rows.filter(pk__gt=after)
        return _whole(rows.order_by((F("pk") + 0).asc()).values("pk")[:size], "pk")

    def count(self) -> Count:
        return capped(capped_count(self._rows))


class NewestOfEach:
    """A listing of all deliveries to some groups, however many they are."""

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
        # Of each group its nearest ``size`` rows: from the place to the last of them.
        sql = f"""
            SELECT d.id FROM (
                SELECT column1 AS group_id, (
                    SELECT {least}(id) FROM (
                        SELECT id FROM {quoted_table(Delivery)} WHERE group_id = column1 {beyond}
                        ORDER BY id {direction} LIMIT {size:d}) AS near) AS edge
                FROM (VALUES {values}) AS wanted) AS groups
            JOIN {quoted_table(Delivery)} AS d
            ON d.group_id = groups.group_id AND d.id {inside} groups.edge
            {beyond.replace("id", "d.id", 1)}
            ORDER BY d.id {direction} LIMIT {size:d}"""  # noqa: S608  numbers, names of ours
        ids = RawSQL(sql, list(self._group_ids))  # noqa: S611  values are parameters
        return _whole(ids, "-pk" if sign == "<" else "pk")


class NotificationScan:
    """A listing for groups with many deliveries and another filter beside them."""

    def __init__(self, wanted: DeliveryFilter, live: Sequence[int]) -> None:
        self._group_ids = list(wanted.group_ids or ())
        self._alike = wanted.alike
        self._extents = list(notification_ranges(wanted, live))
        self._found = 0
        self._is_all = False

    def older(self, before: int | None, size: int) -> Sequence[Delivery]:
        beyond = {} if before is None else {"pk__lt": before}
        candidates = sorted(
            (e for e in self._extents if before is None or e.first < before),
            key=lambda e: -e.last,
        )
        found: list[int] = []
        for batch in _batches(candidates):
            if len(found) == size and found[-1] > batch[0].last:
                break  # no later one has a newer row
            found += self._ask(batch, beyond, size, is_older=True)
            found = sorted(found, reverse=True)[:size]
        self._found, self._is_all = len(found), before is None and len(found) < size
        return _whole(found, "-pk")

    def newer(self, after: int, size: int) -> Sequence[Delivery]:
        candidates = sorted(
            (e for e in self._extents if e.last > after), key=lambda e: e.first
        )
        found: list[int] = []
        for batch in _batches(candidates):
            if len(found) == size and found[-1] < batch[0].first:
                break  # no later one has an older row
            found += self._ask(batch, {"pk__gt": after}, size, is_older=False)
            found = sorted(found)[:size]
        self._found = len(found)
        return _whole(found, "pk")

    def count(self) -> Count:
        """What the page found: counting the rest would mean to walk to the end."""
        if self._is_all:
            return Count(self._found)
        return Count(max(self._found - 1, 0), is_more=True)

    def _ask(
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
        if self._alike.get("status") == Delivery.Status.ACCEPTED:
            # Nearly all are: look up the groups, not what is alike. In an expression
            # the status leads SQLite to no index.
            alike = {n: v for n, v in self._alike.items() if n != "status"}
            rows = rows.annotate(result=Concat("status", Value(""))).filter(
                result=Delivery.Status.ACCEPTED, **alike
            )
        else:
            rows = rows.filter(**self._alike)
        order = (F("pk") + 0).desc() if is_older else (F("pk") + 0).asc()
        return list(rows.order_by(order).values_list("pk", flat=True)[:size])


def _batches(
    candidates: Sequence[NotificationRange],
) -> Iterator[Sequence[NotificationRange]]:
    for start in range(0, len(candidates), BATCH):
        yield candidates[start : start + BATCH]


def has_few_rows(group_ids: Sequence[str]) -> bool:
    """Whether reading all deliveries to these groups is quick."""
    return _to_groups(group_ids).values("pk")[: FEW + 1].count() <= FEW


def _to_groups(group_ids: Sequence[str]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(group_id__in=group_ids).order_by()


def _whole(ids: Any, order: str) -> Sequence[Delivery]:
    """The rows, once their ids are known: nothing wide is ever sorted."""
    rows = Delivery.objects.history().filter(pk__in=ids)
    return list(rows.select_related("notification").order_by(order))
