"""In which order the history is read from end to end, so that nothing is read twice.

The deliveries of a notification lie together, most often alone, sometimes between those
of another that was sent at the same moment. A stretch is some notifications whose
deliveries lie between two ids where nothing of any other stretch lies.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count, Max, Min, Sum

from notifications.history.search.by_result_counts import matching_tallies
from notifications.history.search.filters import DeliveryFilter
from notifications.models import Delivery

# Small notifications are read together until they have so many rows.
ROWS = 2000

# Of the ids between first and last, at least one in so many is wanted.
DENSE = 5


@dataclass(slots=True)
class Stretch:
    notifications: list[int]
    first: int
    last: int
    rows: int

    @property
    def is_dense(self) -> bool:
        """Whether reading id by id is quicker than looking up what is wanted."""
        return self.rows * DENSE > self.last - self.first


def stretches(wanted: DeliveryFilter, live: Iterable[int]) -> Iterator[Stretch]:
    """All stretches with deliveries that the filters mean, in order of their ids."""
    found = _notifications(wanted, list(live))
    stretch: Stretch | None = None
    for number, rows, first, last in found:
        if stretch is None:
            stretch = Stretch([number], first, last, rows)
        elif first <= stretch.last or stretch.rows + rows <= ROWS:
            stretch.notifications.append(number)
            stretch.last = max(stretch.last, last)
            stretch.rows += rows
        else:
            yield stretch
            stretch = Stretch([number], first, last, rows)
    if stretch is not None:
        yield stretch


def _notifications(
    wanted: DeliveryFilter, live: list[int]
) -> Iterator[tuple[int, int, int, int]]:
    """Number, rows, first and last id of each, by the first.

    Kept as plain numbers, 32 bytes each: there may be very many, and the file may take
    long, while a cursor left open would keep the database from clearing up.
    """
    sealed = matching_tallies(wanted).order_by().values_list("notification_id")
    summed = sealed.annotate(Sum("count"), Min("first_delivery"), Max("last_delivery"))
    numbers = array("q")
    for row in summed.order_by("first_delivery__min").iterator(chunk_size=2000):
        numbers.extend(row)
    kept = zip(*(numbers[place::4] for place in range(4)), strict=True)
    if not live:
        yield from kept
        return
    rows = Delivery.objects.filter(notification_id__in=live, **wanted.alike)
    counted = rows.order_by().values_list("notification_id")
    of_live = list(counted.annotate(Count("pk"), Min("pk"), Max("pk")))
    yield from sorted([*kept, *of_live], key=lambda row: row[2])
