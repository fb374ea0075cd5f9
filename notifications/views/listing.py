"""What the pages of a list by id have around their rows: place, count, pager."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.forms.filters import MAX_ID, FilterForm
from notifications.selectors.paging import Count, Page

PLACE = ("before", "after")


def place(request: HttpRequest) -> dict[str, int | None]:
    """Where in the list: ``before`` or ``after`` an id; anything else is ignored."""
    return {name: _id(request.GET.get(name, "")) for name in PLACE}


def frame(
    form: FilterForm, here: Mapping[str, int | None], found: Page[Any], count: Count
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


def way_back(request: HttpRequest, form: type[FilterForm]) -> str:
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
