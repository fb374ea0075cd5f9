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
    """A source of rows in order of their ids."""

    def older(self, before: int | None, size: int) -> Sequence[RowOut]:
        """The newest ``size`` rows below an id, or of all; newest first."""

    def newer(self, after: int, size: int) -> Sequence[RowOut]:
        """The oldest ``size`` rows above an id; oldest first."""


class QuerySetListing(Generic[Row]):
    """A queryset as a listing."""

    def __init__(self, rows: QuerySet[Row]) -> None:
        self._rows = rows

    def older(self, before: int | None, size: int) -> Sequence[Row]:
        rows = self._rows if before is None else self._rows.filter(pk__lt=before)
        return list(rows.order_by("-pk")[:size])

    def newer(self, after: int, size: int) -> Sequence[Row]:
        return list(self._rows.filter(pk__gt=after).order_by("pk")[:size])


def queryset_page(
    rows: QuerySet[Row],
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = PER_PAGE,
) -> ListPage[Row]:
    """Return the newest page, or the one next to the id ``before`` or ``after``.

    It is also the newest page if less than a whole page is newer than ``after``, or
    nothing is older than ``before``.
    """
    return listing_page(QuerySetListing(rows), before=before, after=after, size=size)


def listing_page(
    rows: Listing[Row],
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = PER_PAGE,
) -> ListPage[Row]:
    """As ``queryset_page``, for rows that take more than one query."""
    if after is not None:
        newer = rows.newer(after, size + 1)
        if len(newer) > size:
            shown = newer[size - 1 :: -1]
            return ListPage(shown, newer=shown[0].pk, older=shown[-1].pk)
        before = None
    if before is not None:
        older = rows.older(before, size + 1)
        if older:
            return ListPage(older[:size], newer=older[0].pk, older=_older(older, size))
    newest = rows.older(None, size + 1)
    return ListPage(newest[:size], older=_older(newest, size))


def _older(rows: Sequence[Row], size: int) -> int | None:
    """The id for the link to older rows; ``rows`` has one more than the page."""
    return rows[size - 1].pk if len(rows) > size else None


@dataclass(frozen=True, slots=True)
class Count:
    """The number of rows of a list; ``is_more``: counting stopped at ``number``."""

    number: int
    is_more: bool = False


def count_of(rows: QuerySet[Row], page: ListPage[Row]) -> Count:
    """Count the rows up to ``COUNTED``, unless ``page`` is the whole list."""
    if page.newer is None and page.older is None:
        return Count(len(page.rows))
    return capped(capped_count(rows))


def capped(number: int, limit: int = COUNTED) -> Count:
    return Count(min(number, limit), is_more=number > limit)


def capped_count(rows: QuerySet[Row]) -> int:
    """The number of rows, at most ``COUNTED`` + 1."""
    return rows.order_by().values("pk")[: COUNTED + 1].count()


POSITION_PARAMETERS = ("before", "after")


def list_position(request: HttpRequest) -> dict[str, int | None]:
    """The ids ``before`` and ``after`` of the query; other values are ignored."""
    return {name: _id(request.GET.get(name, "")) for name in POSITION_PARAMETERS}


def list_context(
    form: FilterForm,
    position: Mapping[str, int | None],
    page: ListPage[Any],
    count: Count,
) -> Mapping[str, object]:
    """The template context of every list, apart from its rows."""
    numbers = {name: str(number) for name, number in position.items() if number}
    return {
        "form": form,
        # For the links to rows, whose pages link back to this page of the list.
        "list_query": urlencode(form.active | numbers),
        "count": _count_words(count) if page.rows else "",
        "newer": _query(form, "after", page.newer),
        "older": _query(form, "before", page.older),
        "newest": "?" + form.query,
    }


def back_query(request: HttpRequest, form: type[FilterForm]) -> str:
    """The query of the list that links to this page: only parameters of that list."""
    names = [*form.parameters(), *POSITION_PARAMETERS]
    parameters = {name: value for name in names if (value := request.GET.get(name))}
    return "?" + urlencode(parameters) if parameters else ""


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
