"""The lists of notifications and deliveries, and the download of deliveries."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.delivery.explanations import explain
from notifications.history.amendments import fates_of
from notifications.history.export import download as download_history
from notifications.history.forms import DeliveryFilterForm, NotificationFilterForm
from notifications.history.presentation import end_of_list
from notifications.history.search import queries as search_queries
from notifications.models import Delivery
from notifications.record.queries import record_state
from notifications.ui.downloads import CONTENT_TYPES, as_file, reject_download
from notifications.ui.lists import (
    Count,
    ListPage,
    count_of,
    list_context,
    list_position,
    listing_page,
    queryset_page,
)
from notifications.ui.pages import page, require_permission


@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    user = require_permission(request, permissions.SEE_HISTORY)
    form = NotificationFilterForm(request.GET)
    rows = search_queries.notifications(form.filters, user.pk)
    position = list_position(request)
    list_page = queryset_page(rows, before=position["before"], after=position["after"])
    problems = search_queries.problems_of(list_page.rows)
    return page(
        request,
        "notifications/history/notifications.html",
        _("Send history"),
        rows=[(row, problems.get(row.pk, {})) for row in list_page.rows],
        record=record_state(),
        **list_context(form, position, list_page, count_of(rows, list_page)),
    )


@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    require_permission(request, permissions.SEE_HISTORY)
    form = DeliveryFilterForm(request.GET)
    rows = search_queries.deliveries(form.filters, form.facets.unsealed)
    position = list_position(request)
    list_page = listing_page(rows, before=position["before"], after=position["after"])
    fates = fates_of(list_page.rows)
    return page(
        request,
        "notifications/history/deliveries.html",
        _("Send history"),
        rows=[(row, explain(row), fates.get(row.pk, [])) for row in list_page.rows],
        archived=end_of_list(form.filters.notification, form.filters.since)
        if list_page.older is None
        else "",
        **list_context(form, position, list_page, _count(rows, list_page)),
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """Download all deliveries that match the filters as one file."""
    user = require_permission(request, permissions.EXPORT_HISTORY)
    form = DeliveryFilterForm(request.POST)
    file_format = request.POST.get("format", "csv")
    if form.errors or file_format not in CONTENT_TYPES:
        return reject_download(request, form, "admin:deliveries")
    file = download_history(
        user,
        form.filters,
        form.facets.unsealed,
        file_format=file_format,
        parameters=form.active,
    )
    return as_file(file, file.name, file.content_type)


def _count(
    rows: search_queries.DeliveryListing, list_page: ListPage[Delivery]
) -> Count:
    if list_page.newer is None and list_page.older is None:
        return Count(len(list_page.rows))
    return rows.count()
