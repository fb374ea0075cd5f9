"""Ranges of ids, in which an export reads the history without reading a row twice.

The ids of the deliveries of a notification are mostly consecutive; they overlap only
with those of notifications sent at the same moment. An ``IdRange`` is a group of
notifications whose ids overlap with no other range.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import NamedTuple

from django.db.models import Count, Max, Min, Sum

from notifications.history.search.by_result_counts import matching_counts
from notifications.history.search.filters import DeliveryFilter
from notifications.models import Delivery

# A range is dense if at least one in so many ids matches the filters.
DENSE = 5


@dataclass(slots=True)
class IdRange:
    notifications: list[int]
    first: int
    last: int
    rows: int

    @property
    def is_dense(self) -> bool:
        """Whether reading by id is faster than by the index of the conditions."""
        return self.rows * DENSE > self.last - self.first


class NotificationRange(NamedTuple):
    """A notification, the number of matching deliveries, and their first and last id."""

    notification: int
    rows: int
    first: int
    last: int


def id_ranges(
    filters: DeliveryFilter, unsealed: Sequence[int], *, size: int
) -> Iterator[IdRange]:
    """Yield all ranges with matching deliveries, in order of their ids.

    Small notifications are combined until they have ``size`` rows.
    """
    id_range: IdRange | None = None
    for number, rows, first, last in notification_ranges(filters, unsealed):
        if id_range is None:
            id_range = IdRange([number], first, last, rows)
        elif first <= id_range.last or id_range.rows + rows <= size:
            id_range.notifications.append(number)
            id_range.last = max(id_range.last, last)
            id_range.rows += rows
        else:
            yield id_range
            id_range = IdRange([number], first, last, rows)
    if id_range is not None:
        yield id_range


def notification_ranges(
    filters: DeliveryFilter, unsealed: Sequence[int]
) -> Iterator[NotificationRange]:
    """Yield notifications with deliveries that match all filters but the group.

    The order is that of their first ids. They are held as plain numbers, 32 bytes each,
    since there may be very many, and an open cursor would block the vacuum of the
    database during a long export.
    """
    sealed = matching_counts(filters).order_by().values_list("notification_id")
    summed = sealed.annotate(Sum("count"), Min("first_delivery"), Max("last_delivery"))
    numbers = array("q")
    for row in summed.order_by("first_delivery__min").iterator(chunk_size=2000):
        numbers.extend(row)
    sealed_ranges = map(NotificationRange, *(numbers[column::4] for column in range(4)))
    if not unsealed:
        yield from sealed_ranges
        return
    rows = Delivery.objects.filter(
        notification_id__in=unsealed, **filters.delivery_conditions
    )
    counted = rows.order_by().values_list("notification_id")
    unsealed_ranges = starmap(
        NotificationRange, counted.annotate(Count("pk"), Min("pk"), Max("pk"))
    )
    yield from sorted([*sealed_ranges, *unsealed_ranges], key=lambda item: item.first)
