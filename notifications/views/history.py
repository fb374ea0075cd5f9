"""History: the list of notifications, the list of deliveries, and its download."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import roles
from notifications.forms.filters import DeliveryFilterForm, NotificationFilterForm
from notifications.models import Delivery
from notifications.selectors import history
from notifications.selectors.explanations import explain
from notifications.selectors.paging import Count, Page, count_of, page_of
from notifications.selectors.paging import page as page_of_rows
from notifications.services import downloads

from .archived import end_of_list
from .listing import frame, place
from .page import page, person

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}


def notifications(request: HttpRequest) -> HttpResponse:
    user = person(request, roles.SEE_HISTORY)
    form = NotificationFilterForm(request.GET)
    rows = history.notifications(form.filters, user.pk)
    here = place(request)
    found = page_of_rows(rows, before=here["before"], after=here["after"])
    problems = history.problems_of(found.rows)
    return page(
        request,
        "notifications/notifications.html",
        _("Send history"),
        rows=[(row, problems.get(row.pk, {})) for row in found.rows],
        **frame(form, found, count_of(rows, found)),
    )


def deliveries(request: HttpRequest) -> HttpResponse:
    person(request, roles.SEE_HISTORY)
    form = DeliveryFilterForm(request.GET)
    rows = history.deliveries(form.filters, form.occurring.live)
    here = place(request)
    found = page_of(rows, before=here["before"], after=here["after"])
    return page(
        request,
        "notifications/deliveries.html",
        _("Send history"),
        rows=[(row, explain(row)) for row in found.rows],
        # What a delivery's page takes along, for its way back to this page.
        here=urlencode(form.active | {k: str(v) for k, v in here.items() if v}),
        archived=end_of_list(form.filters.notification, form.filters.since)
        if found.older is None
        else "",
        **frame(form, found, _count(rows, found)),
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """The deliveries that the filters mean, of any number, as one file."""
    user = person(request, roles.EXPORT_HISTORY)
    form = DeliveryFilterForm(request.POST)
    file_format = request.POST.get("format", "csv")
    if form.errors or file_format not in CONTENT_TYPES:
        # Without that filter the file would hold more than was asked for.
        messages.error(request, _("Nothing was downloaded: correct the filters first."))
        names = [name for name in form.parameters() if request.POST.get(name)]
        given = {name: request.POST[name] for name in names}
        return redirect(f"{reverse('admin:deliveries')}?{urlencode(given)}")
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


def _count(rows: history.DeliveryListing, found: Page[Delivery]) -> Count:
    if found.newer is None and found.older is None:
        return Count(len(found.rows))  # the list is this page
    return rows.count()
