"""The page and the download of the audit trail."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.audit.export import download_trail
from notifications.audit.forms import TrailFilterForm
from notifications.audit.queries import actions_of, linked_notifications
from notifications.ui.downloads import CONTENT_TYPES, as_file, reject_download
from notifications.ui.lists import count_of, list_context, list_position, queryset_page
from notifications.ui.pages import page, require_permission


@require_safe
def actions(request: HttpRequest) -> HttpResponse:
    require_permission(request, permissions.SEE_TRAIL)
    form = TrailFilterForm(request.GET)
    rows = form.entries()
    position = list_position(request)
    shown = queryset_page(
        linked_notifications(rows), before=position["before"], after=position["after"]
    )
    return page(
        request,
        "notifications/audit/actions.html",
        _("Send history"),
        rows=actions_of(shown.rows),
        **list_context(form, position, shown, count_of(rows, shown)),
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """All entries that match the filters, as a file."""
    user = require_permission(request, permissions.SEE_TRAIL)
    form = TrailFilterForm(request.POST)
    file_format = request.POST.get("format", "csv")
    if form.errors or file_format not in CONTENT_TYPES:
        return reject_download(request, form, "admin:actions")
    file = download_trail(
        user, form.entries(), file_format=file_format, filters=form.active
    )
    return as_file(file, file.name, file.content_type)
