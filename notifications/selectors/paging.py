"""Pages of a list that is newest first by id: neither COUNT nor OFFSET over the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

PER_PAGE = 50
COUNTED = 10_000

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """``newer``: the id to ask for with ``after``; ``older``: the one for ``before``."""

    rows: Sequence[Row]
    newer: int | None = None
    older: int | None = None


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
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        if len(found) > size:
            shown = found[size - 1 :: -1]
            return Page(shown, newer=shown[0].pk, older=shown[-1].pk)
        before = None
    newest_first = rows.order_by("-pk")
    if before is not None:
        found = list(newest_first.filter(pk__lt=before)[: size + 1])
        if found:
            return Page(found[:size], newer=found[0].pk, older=_older(found, size))
    found = list(newest_first[: size + 1])
    return Page(found[:size], older=_older(found, size))


def _older(found: Sequence[Row], size: int) -> int | None:
    return found[size - 1].pk if len(found) > size else None


def capped_count(rows: QuerySet[Row]) -> int:
    """How many rows, at most ``COUNTED`` + 1: beyond that nobody reads a number."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()
