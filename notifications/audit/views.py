"""The audit trail: its list, and its download."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.audit.export import download_trail
from notifications.audit.forms import TrailFilterForm
from notifications.audit.queries import action_lines, entries, linked_notifications
from notifications.ui.downloads import CONTENT_TYPES, as_file, nothing_downloaded
from notifications.ui.lists import count_of, list_context, place
from notifications.ui.lists import page as page_of_rows
from notifications.ui.pages import page, require_permission


@require_safe
def actions(request: HttpRequest) -> HttpResponse:
    require_permission(request, permissions.SEE_TRAIL)
    form = TrailFilterForm(request.GET)
    rows = entries(form.filters)
    here = place(request)
    found = page_of_rows(
        linked_notifications(rows), before=here["before"], after=here["after"]
    )
    return page(
        request,
        "notifications/audit/actions.html",
        _("Send history"),
        rows=list(zip(action_lines(found.rows), found.rows, strict=True)),
        **list_context(form, here, found, count_of(rows, found)),
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """The entries that the filters mean, of any number, as one file."""
    user = require_permission(request, permissions.SEE_TRAIL)
    form = TrailFilterForm(request.POST)
    file_format = request.POST.get("format", "csv")
    if form.errors or file_format not in CONTENT_TYPES:
        return nothing_downloaded(request, form, "admin:actions")
    file = download_trail(
        user, entries(form.filters), file_format=file_format, filters=form.active
    )
    return as_file(file, file.name, file.content_type)
