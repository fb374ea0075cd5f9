"""Pages of a list that is newest first by id: neither COUNT nor OFFSET over the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from django.db.models import Model, QuerySet

PER_PAGE = 50
COUNTED = 10_000

Row = TypeVar("Row", bound=Model)
RowOut = TypeVar("RowOut", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """``newer``: the id to ask for with ``after``; ``older``: the one for ``before``."""

    rows: Sequence[Row]
    newer: int | None = None
    older: int | None = None


class Listing(Protocol[RowOut]):
    """Rows that come in order of their ids, found in whatever way."""

    def older(self, before: int | None, size: int) -> Sequence[RowOut]:
        """The newest ``size`` rows below an id, or of all; newest first."""

    def newer(self, after: int, size: int) -> Sequence[RowOut]:
        """The oldest ``size`` rows above an id; oldest first."""


class ById(Generic[Row]):
    """A queryset as a listing."""

    def __init__(self, rows: QuerySet[Row]) -> None:
        self._rows = rows

    def older(self, before: int | None, size: int) -> Sequence[Row]:
        rows = self._rows if before is None else self._rows.filter(pk__lt=before)
        return list(rows.order_by("-pk")[:size])

    def newer(self, after: int, size: int) -> Sequence[Row]:
        return list(self._rows.filter(pk__gt=after).order_by("pk")[:size])


def page(
    rows: QuerySet[Row],
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = PER_PAGE,
) -> Page[Row]:
    """The newest page, or the one just before or after an id.

    Where less than a whole page is newer than ``after``, or nothing is older than
    ``before``, the newest page is given instead.
    """
    return page_of(ById(rows), before=before, after=after, size=size)


def page_of(
    rows: Listing[Row],
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = PER_PAGE,
) -> Page[Row]:
    """As ``page``, for a list that no single query gives."""
    if after is not None:
        found = rows.newer(after, size + 1)
        if len(found) > size:
            shown = found[size - 1 :: -1]
            return Page(shown, newer=shown[0].pk, older=shown[-1].pk)
        before = None
    if before is not None:
        found = rows.older(before, size + 1)
        if found:
            return Page(found[:size], newer=found[0].pk, older=_older(found, size))
    found = rows.older(None, size + 1)
    return Page(found[:size], older=_older(found, size))


def _older(found: Sequence[Row], size: int) -> int | None:
    return found[size - 1].pk if len(found) > size else None


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a list has; ``is_more``: so many, and more that nobody counted."""

    number: int
    is_more: bool = False


def count_of(rows: QuerySet[Row], found: Page[Row]) -> Count:
    """Counted no further than ``COUNTED``: beyond that nobody reads a number."""
    if found.newer is None and found.older is None:
        return Count(len(found.rows))  # the list is this page
    return capped(capped_count(rows))


def capped(number: int) -> Count:
    return Count(min(number, COUNTED), is_more=number > COUNTED)


def capped_count(rows: QuerySet[Row]) -> int:
    """How many rows, at most ``COUNTED`` + 1."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()
