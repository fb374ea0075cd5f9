"""In which order the history is read from end to end, so that nothing is read twice.

The deliveries of a notification lie together, most often alone, sometimes between those
of another that was sent at the same moment. A stretch is some notifications whose
deliveries lie between two ids where nothing of any other stretch lies.
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

# Of the ids between first and last, at least one in so many is wanted.
DENSE = 5


@dataclass(slots=True)
class IdRange:
    notifications: list[int]
    first: int
    last: int
    rows: int

    @property
    def is_dense(self) -> bool:
        """Whether reading id by id is quicker than looking up what is wanted."""
        return self.rows * DENSE > self.last - self.first


class NotificationRange(NamedTuple):
    """A notification, how many of its deliveries are meant, and their ends."""

    notification: int
    rows: int
    first: int
    last: int


def id_ranges(
    wanted: DeliveryFilter, live: Sequence[int], *, size: int
) -> Iterator[IdRange]:
    """All stretches with deliveries that the filters mean, in order of their ids.

    Small notifications are read together until they have ``size`` rows.
    """
    stretch: IdRange | None = None
    for number, rows, first, last in notification_ranges(wanted, live):
        if stretch is None:
            stretch = IdRange([number], first, last, rows)
        elif first <= stretch.last or stretch.rows + rows <= size:
            stretch.notifications.append(number)
            stretch.last = max(stretch.last, last)
            stretch.rows += rows
        else:
            yield stretch
            stretch = IdRange([number], first, last, rows)
    if stretch is not None:
        yield stretch


def notification_ranges(
    wanted: DeliveryFilter, live: Sequence[int]
) -> Iterator[NotificationRange]:
    """The notifications with deliveries that the filters mean, but for the group.

    In order of their first ids. Kept as plain numbers, 32 bytes each: there may be very
    many, and an export may take long, while a cursor left open would keep the database
    from clearing up.
    """
    sealed = matching_counts(wanted).order_by().values_list("notification_id")
    summed = sealed.annotate(Sum("count"), Min("first_delivery"), Max("last_delivery"))
    numbers = array("q")
    for row in summed.order_by("first_delivery__min").iterator(chunk_size=2000):
        numbers.extend(row)
    kept = map(NotificationRange, *(numbers[place::4] for place in range(4)))
    if not live:
        yield from kept
        return
    rows = Delivery.objects.filter(notification_id__in=live, **wanted.alike)
    counted = rows.order_by().values_list("notification_id")
    of_live = starmap(
        NotificationRange, counted.annotate(Count("pk"), Min("pk"), Max("pk"))
    )
    yield from sorted([*kept, *of_live], key=lambda extent: extent.first)
