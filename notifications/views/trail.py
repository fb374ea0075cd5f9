"""The audit trail: its list, and its download."""

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
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
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import roles
from notifications.forms.trail import TrailFilterForm
from notifications.selectors.actions import entries, in_words, with_links
from notifications.selectors.paging import count_of
from notifications.selectors.paging import page as page_of_rows
from notifications.services.trail_downloads import download_trail

from .listing import frame, place
from .page import page, person

LINES_AT_ONCE = 200
KINDS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}


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
        **frame(form, found, count_of(rows, found)),
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """The entries that the filters mean, of any number, as one file."""
    user = person(request, roles.SEE_TRAIL)
    form = TrailFilterForm(request.POST)
    if form.errors:
        # Without that filter the file would hold more than was asked for.
        messages.error(request, _("Nothing was downloaded: correct the filters first."))
        names = [name for name in form.parameters() if request.POST.get(name)]
        given = {name: request.POST[name] for name in names}
        return redirect(f"{reverse('admin:actions')}?{urlencode(given)}")
    file_format = "jsonl" if request.POST.get("format") == "jsonl" else "csv"
    pieces = download_trail(
        user, entries(form.filters), file_format=file_format, filters=form.active
    )
    response = StreamingHttpResponse(_blocks(pieces), content_type=KINDS[file_format])
    name = f"audit-trail-{timezone.localdate():%Y-%m-%d}.{file_format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _blocks(pieces: Generator[bytes]) -> Iterator[bytes]:
    with closing(pieces):  # also when the reader went away: that is written down
        while block := b"".join(islice(pieces, LINES_AT_ONCE)):
            yield block
