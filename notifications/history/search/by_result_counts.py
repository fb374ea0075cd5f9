"""A listing of filtered deliveries by the result counts of their notifications.

A sealed notification has a ``Tally`` for each group type and result of its deliveries.
A filter is therefore a condition on a few tallies, and the deliveries of each tally are
one range of an index, newest first. For notifications without a seal, the deliveries
are queried. However rare the matches are, no other row is read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from django.db.models import QuerySet, Sum
from django.db.models.expressions import RawSQL

from notifications.db.sql import quoted_table
from notifications.history.search.filters import DeliveryFilter
from notifications.models import Archive, Delivery, Tally
from notifications.ui.lists import COUNTED, Count, capped

# SQLite takes 500 SELECTs in one UNION.
BRANCHES = 200

# Tallies read per row of a page; they mostly add up to COUNTED, which saves a query.
READ = 4


Condition: TypeAlias = dict[str, Any]

Branch: TypeAlias = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class CountRange:
    """A tally: the values its deliveries share, their number, first and last id."""

    notification_id: int
    status: str
    group_type: str
    error_code: int | None
    reason: str
    count: int
    first_delivery: int
    last_delivery: int

    @property
    def conditions(self) -> Condition:
        return {
            "notification_id": self.notification_id,
            "status": self.status,
            "group_type": self.group_type,
            "error_code": self.error_code,
            "reason": self.reason,
        }


class ByResultCounts:
    """A ``Listing``; ``unsealed`` are the ids of notifications without a seal."""

    def __init__(
        self,
        filters: DeliveryFilter,
        unsealed: Iterable[int],
        *,
        max_branches: int = BRANCHES,
    ) -> None:
        self._tallies = matching_counts(filters)
        self._unsealed = sorted(unsealed, reverse=True)
        self._delivery_conditions = filters.delivery_conditions
        self._max_branches = max_branches
        # Set by older() for count(): a lower bound, and whether it is the exact number.
        self._at_least = 0
        self._is_exact = False

    def older(self, before: int | None, size: int) -> Sequence[Delivery]:
        newest_first = self._tallies.order_by("-last_delivery")
        if before is None:
            spans = _spans(newest_first[: READ * size])
            self._is_exact = len(spans) < READ * size
        else:
            # Each tally that ends below has a row there, so ``size`` of them suffice.
            # Two queries, since with OR PostgreSQL reads all tallies.
            around = tallies_between(first_below=before, last_from=before)
            spans = _spans(newest_first.filter(pk__in=around))
            below = newest_first.filter(last_delivery__lt=before)
            spans += _spans(below[: READ * size])
        self._at_least = sum(span.count for span in spans)
        return self._rows(_enough(spans, before, size), "<", before, size)

    def newer(self, after: int, size: int) -> Sequence[Delivery]:
        # Each tally that ends above has a row there, so no row beyond the end of the
        # ``size``-th is on the page.
        above = self._tallies.filter(last_delivery__gt=after).order_by("last_delivery")
        ends = list(above.values_list("last_delivery", flat=True)[:size])
        if not ends:
            return self._rows([], ">", after, size)
        near = tallies_between(first_below=ends[-1] + 1, last_from=ends[0])
        spans = _spans(self._tallies.filter(pk__in=near))
        return self._rows(spans, ">", after, size)

    def count(self, limit: int = COUNTED) -> Count:
        """Count all rows, up to ``limit``."""
        number = self._at_least
        if not self._is_exact and number <= limit:
            # Each tally counts at least one.
            some = self._tallies.order_by()[: limit + 1]
            number = some.aggregate(n=Sum("count"))["n"] or 0
        if number <= limit and self._unsealed:
            rows = Delivery.objects.filter(
                notification_id__in=self._unsealed, **self._delivery_conditions
            )
            number += rows.order_by().values("pk")[: limit + 1 - number].count()
        return capped(number, limit)

    def _rows(
        self, spans: Iterable[CountRange], sign: str, place: int | None, size: int
    ) -> Sequence[Delivery]:
        conditions = [span.conditions for span in spans]
        conditions += [
            {"notification_id": n, **self._delivery_conditions} for n in self._unsealed
        ]
        if not conditions:
            return []
        branches = [_branch(condition, sign, place, size) for condition in conditions]
        sql, values = _first_of(branches, sign, size, self._max_branches)
        ids = RawSQL(sql, values)  # noqa: S611  values are parameters
        rows = Delivery.objects.filter(pk__in=ids).select_related("notification")
        return list(rows.order_by("-pk" if sign == "<" else "pk"))


def matching_counts(filters: DeliveryFilter) -> QuerySet[Tally]:
    """Tallies with deliveries that match all filters but the group."""
    archived = Archive.objects.values("notification_id")
    return Tally.objects.filter(**filters.conditions).exclude(
        notification_id__in=archived
    )


def tallies_between(*, first_below: int, last_from: int) -> QuerySet[Tally, Any]:
    """The ids of all tallies around a position, by an index-only scan."""
    tallies = Tally.objects.order_by().values("pk")
    return tallies.filter(first_delivery__lt=first_below, last_delivery__gte=last_from)


def _spans(tallies: QuerySet[Tally]) -> list[CountRange]:
    names = [field.name for field in fields(CountRange)]
    return [CountRange(*row) for row in tallies.values_list(*names)]


def _enough(
    spans: Sequence[CountRange], before: int | None, size: int
) -> Sequence[CountRange]:
    """The newest spans that are certain to have ``size`` rows newer than all others."""
    for place, following in enumerate(spans[1:], start=1):
        edge = following.last_delivery
        certain = sum(
            span.count if span.first_delivery > edge else 1
            for span in spans[:place]
            if before is None or span.last_delivery < before
        )
        if certain >= size:
            return spans[:place]
    return spans


def _branch(condition: Condition, sign: str, place: int | None, size: int) -> Branch:
    """SELECT the ids of the deliveries of one condition, nearest to ``place`` first."""
    parts, values = [], []
    for name, value in condition.items():
        # IS NOT DISTINCT FROM would use no index.
        parts.append(f"{name} IS NULL" if value is None else f"{name} = %s")
        values += [] if value is None else [value]
    if place is not None:
        parts.append(f"id {sign} %s")
        values.append(place)
    return (
        f"SELECT id FROM {quoted_table(Delivery)} WHERE {' AND '.join(parts)} "  # noqa: S608  names of fields
        f"ORDER BY id {_direction(sign)} LIMIT {size:d}",
        values,
    )


def _first_of(
    branches: list[Branch], sign: str, size: int, max_branches: int
) -> Branch:
    """SELECT the first ``size`` ids among all branches."""
    while True:
        branches = [
            _union(branches[start : start + max_branches], sign, size)
            for start in range(0, len(branches), max_branches)
        ]
        if len(branches) == 1:
            return branches[0]


def _union(branches: Sequence[Branch], sign: str, size: int) -> Branch:
    # SQLite allows LIMIT within UNION only in a subquery.
    parts = [f"SELECT id FROM ({sql}) AS one" for sql, _values in branches]  # noqa: S608  made above
    return (
        f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS ids "  # noqa: S608  made above
        f"ORDER BY id {_direction(sign)} LIMIT {size:d}",
        [value for _sql, values in branches for value in values],
    )


def _direction(sign: str) -> str:
    return "DESC" if sign == "<" else "ASC"
