"""History: the list of notifications, the list of deliveries, and its download."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import roles
from notifications.forms.filters import DeliveryFilterForm, NotificationFilterForm
from notifications.models import Delivery
from notifications.selectors import history
from notifications.selectors.explanations import explain
from notifications.selectors.paging import Count, Page, count_of, page_of
from notifications.selectors.paging import page as page_of_rows
from notifications.selectors.record_state import record_state
from notifications.services import downloads

from .archived import end_of_list
from .files import CONTENT_TYPES, as_file, nothing_downloaded
from .listing import frame, place
from .page import page, person


@require_safe
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
        record=record_state(),
        **frame(form, here, found, count_of(rows, found)),
    )


@require_safe
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
        archived=end_of_list(form.filters.notification, form.filters.since)
        if found.older is None
        else "",
        **frame(form, here, found, _count(rows, found)),
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
    name = downloads.file_name(file_format)
    return as_file(file, name, CONTENT_TYPES[file_format])


def _count(rows: history.DeliveryListing, found: Page[Delivery]) -> Count:
    if found.newer is None and found.older is None:
        return Count(len(found.rows))  # the list is this page
    return rows.count()
