"""What the pages of a list by id have around their rows: place, count, pager."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.forms.filters import MAX_ID, FilterForm
from notifications.selectors.paging import COUNTED, Page, capped_count

# Characters. gunicorn takes no address beyond 4094, Django redirects to none beyond 16384.
LONGEST_QUERY = 3000


def place(request: HttpRequest) -> dict[str, int | None]:
    """Where in the list: ``before`` or ``after`` an id; anything else is ignored."""
    return {name: _id(request.GET.get(name, "")) for name in ("before", "after")}


def frame(
    form: FilterForm, rows: QuerySet[Any], found: Page[Any]
) -> Mapping[str, object]:
    return {
        "form": form,
        "count": _count_words(_count(rows, found)) if found.rows else "",
        "newer": _query(form, "after", found.newer),
        "older": _query(form, "before", found.older),
        "newest": "?" + form.query,
    }


def nothing_downloaded(
    request: HttpRequest, form: FilterForm, list_name: str
) -> HttpResponse:
    """Back to the list called ``list_name``, whose filters say what is wrong with them.

    Without a bad filter the file would hold more than was asked for.
    """
    messages.error(request, _("Nothing was downloaded: correct the filters first."))
    given = {
        name: value for name in form.parameters() if (value := request.POST.get(name))
    }
    query = urlencode(given)
    address = reverse(list_name)
    return redirect(f"{address}?{query}" if len(query) <= LONGEST_QUERY else address)


def _count(rows: QuerySet[Any], found: Page[Any]) -> int:
    if found.newer is None and found.older is None:
        return len(found.rows)  # the list is this page
    return capped_count(rows)


def _id(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number and int(text) <= MAX_ID else None


def _query(form: FilterForm, name: str, value: int | None) -> str:
    return "" if value is None else "?" + urlencode(form.active | {name: str(value)})


def _count_words(count: int) -> str:
    number = f"{min(count, COUNTED):,}"
    if count > COUNTED:
        return _("More than %(n)s entries, newest first") % {"n": number}
    return ngettext(
        "%(n)s entry, newest first", "%(n)s entries, newest first", count
    ) % {"n": number}
