"""The audit trail: its list, and its download."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import roles
from notifications.forms.trail import TrailFilterForm
from notifications.selectors.actions import entries, in_words, with_links
from notifications.selectors.paging import count_of
from notifications.selectors.paging import page as page_of_rows
from notifications.services import trail_downloads

from .files import CONTENT_TYPES, as_file, nothing_downloaded
from .listing import frame, place
from .page import page, person


@require_safe
def actions(request: HttpRequest) -> HttpResponse:
    person(request, roles.SEE_TRAIL)
    form = TrailFilterForm(request.GET)
    rows = entries(form.filters)
    here = place(request)
    found = page_of_rows(with_links(rows), before=here["before"], after=here["after"])
    return page(
        request,
        "notifications/actions.html",
        _("Send history"),
        rows=list(zip(in_words(found.rows), found.rows, strict=True)),
        **frame(form, here, found, count_of(rows, found)),
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """The entries that the filters mean, of any number, as one file."""
    user = person(request, roles.SEE_TRAIL)
    form = TrailFilterForm(request.POST)
    file_format = request.POST.get("format", "csv")
    if form.errors or file_format not in CONTENT_TYPES:
        return nothing_downloaded(request, form, "admin:actions")
    file = trail_downloads.download_trail(
        user, entries(form.filters), file_format=file_format, filters=form.active
    )
    name = trail_downloads.file_name(file_format)
    return as_file(file, name, CONTENT_TYPES[file_format])
