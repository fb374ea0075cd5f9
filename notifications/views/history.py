"""History: the list of notifications, the list of deliveries, and its download."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from notifications import roles
from notifications.forms.filters import (
    MAX_ID,
    DeliveryFilterForm,
    FilterForm,
    NotificationFilterForm,
)
from notifications.models import Delivery
from notifications.selectors import history
from notifications.selectors.explanations import explain
from notifications.selectors.paging import Count, Page, count_of, page_of
from notifications.selectors.paging import page as page_of_rows
from notifications.selectors.record_state import record_state
from notifications.services import downloads

from .archived import end_of_list
from .listing import nothing_downloaded
from .page import page, person

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}


@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    user = person(request, roles.SEE_HISTORY)
    form = NotificationFilterForm(request.GET)
    rows = history.notifications(form.filters, user.pk)
    place = _place(request)
    found = page_of_rows(rows, before=place["before"], after=place["after"])
    problems = history.problems_of(found.rows)
    return page(
        request,
        "notifications/notifications.html",
        _("Send history"),
        rows=[(row, problems.get(row.pk, {})) for row in found.rows],
        record=record_state(),
        **_frame(form, found, count_of(rows, found)),
    )


@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    person(request, roles.SEE_HISTORY)
    form = DeliveryFilterForm(request.GET)
    rows = history.deliveries(form.filters, form.occurring.live)
    place = _place(request)
    found = page_of(rows, before=place["before"], after=place["after"])
    return page(
        request,
        "notifications/deliveries.html",
        _("Send history"),
        rows=[(row, explain(row)) for row in found.rows],
        # What a delivery's page takes along, for its way back to this page.
        here=urlencode(form.active | {k: str(v) for k, v in place.items() if v}),
        archived=end_of_list(form.filters.notification, form.filters.since)
        if found.older is None
        else "",
        **_frame(form, found, _count(rows, found)),
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """The deliveries that the filters mean, of any number, as one file."""
    user = person(request, roles.EXPORT_HISTORY)
    form = DeliveryFilterForm(request.POST)
    file_format = request.POST.get("format", "csv")
    if form.errors or file_format not in CONTENT_TYPES:
        return nothing_downloaded(request, form, "admin:deliveries")
    file = downloads.download(
        user,
        form.filters,
        form.occurring.live,
        file_format=file_format,
        filters=form.active,
    )
    response = StreamingHttpResponse(file, content_type=CONTENT_TYPES[file_format])
    name = downloads.file_name(file_format)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _place(request: HttpRequest) -> dict[str, int | None]:
    """Where in the list: ``before`` or ``after`` an id; anything else is ignored."""
    return {name: _id(request.GET.get(name, "")) for name in ("before", "after")}


def _id(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number and int(text) <= MAX_ID else None


def _count(rows: history.DeliveryListing, found: Page[Delivery]) -> Count:
    if found.newer is None and found.older is None:
        return Count(len(found.rows))  # the list is this page
    return rows.count()


def _frame(form: FilterForm, found: Page[Any], count: Count) -> Mapping[str, object]:
    """What both lists show around their rows."""
    return {
        "form": form,
        "count": _count_words(count) if found.rows else "",
        "newer": _query(form, "after", found.newer),
        "older": _query(form, "before", found.older),
        "newest": "?" + form.query,
    }


def _query(form: FilterForm, name: str, value: int | None) -> str:
    return "" if value is None else "?" + urlencode(form.active | {name: str(value)})


def _count_words(count: Count) -> str:
    number = f"{count.number:,}"
    if count.is_more:
        return _("More than %(n)s entries, newest first") % {"n": number}
    return ngettext(
        "%(n)s entry, newest first", "%(n)s entries, newest first", count.number
    ) % {"n": number}
