"""Lists ordered by id: pages, counts, links to newer and older rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.ui.filters import MAX_ID, FilterForm

PER_PAGE = 50

COUNTED = 10_000


Row = TypeVar("Row", bound=Model)

RowOut = TypeVar("RowOut", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
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
) -> ListPage[Row]:
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
) -> ListPage[Row]:
    """As ``page``, for a list that no single query gives."""
    if after is not None:
        found = rows.newer(after, size + 1)
        if len(found) > size:
            shown = found[size - 1 :: -1]
            return ListPage(shown, newer=shown[0].pk, older=shown[-1].pk)
        before = None
    if before is not None:
        found = rows.older(before, size + 1)
        if found:
            return ListPage(found[:size], newer=found[0].pk, older=_older(found, size))
    found = rows.older(None, size + 1)
    return ListPage(found[:size], older=_older(found, size))


def _older(found: Sequence[Row], size: int) -> int | None:
    return found[size - 1].pk if len(found) > size else None


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a list has; ``is_more``: so many, and more that nobody counted."""

    number: int
    is_more: bool = False


def count_of(rows: QuerySet[Row], found: ListPage[Row]) -> Count:
    """Counted no further than ``COUNTED``: beyond that nobody reads a number."""
    if found.newer is None and found.older is None:
        return Count(len(found.rows))  # the list is this page
    return capped(capped_count(rows))


def capped(number: int) -> Count:
    return Count(min(number, COUNTED), is_more=number > COUNTED)


def capped_count(rows: QuerySet[Row]) -> int:
    """How many rows, at most ``COUNTED`` + 1."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()


PLACE = ("before", "after")


def place(request: HttpRequest) -> dict[str, int | None]:
    """Where in the list: ``before`` or ``after`` an id; anything else is ignored."""
    return {name: _id(request.GET.get(name, "")) for name in PLACE}


def list_context(
    form: FilterForm, here: Mapping[str, int | None], found: ListPage[Any], count: Count
) -> Mapping[str, object]:
    """What every list shows around its rows; ``here`` is the ``place``."""
    numbers = {name: str(number) for name, number in here.items() if number}
    return {
        "form": form,
        # What the page of a row takes along, for its way back to this page.
        "here": urlencode(form.active | numbers),
        "count": _count_words(count) if found.rows else "",
        "newer": _query(form, "after", found.newer),
        "older": _query(form, "before", found.older),
        "newest": "?" + form.query,
    }


def back_query(request: HttpRequest, form: type[FilterForm]) -> str:
    """The query of the list that one came from: its own parameters, nothing else."""
    names = [*form.parameters(), *PLACE]
    given = {name: request.GET.get(name, "") for name in names}
    known = {name: value for name, value in given.items() if value}
    return "?" + urlencode(known) if known else ""


def _id(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number and int(text) <= MAX_ID else None


def _query(form: FilterForm, name: str, value: int | None) -> str:
    return "" if value is None else "?" + urlencode(form.active | {name: str(value)})


def _count_words(count: Count) -> str:
    number = f"{count.number:,}"
    if count.is_more:
        return _("More than %(n)s entries, newest first") % {"n": number}
    return ngettext(
        "%(n)s entry, newest first", "%(n)s entries, newest first", count.number
    ) % {"n": number}
