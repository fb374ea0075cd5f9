"""Answers that are a file to keep, and what is said instead of one."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from notifications.forms.filters import FilterForm

# Characters. gunicorn takes none beyond 4094, Django redirects to none beyond 16384.
LONGEST_ADDRESS = 3000
# What a list can be downloaded as.
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}


def as_file(
    pieces: Iterable[bytes], name: str, content_type: str
) -> StreamingHttpResponse:
    """Sent while it is read. ``pieces`` are closed when the reader went away."""
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def nothing_downloaded(
    request: HttpRequest, form: FilterForm, list_name: str
) -> HttpResponseRedirect:
    """Back to the list called ``list_name``, whose filters say what is wrong with them.

    Without a bad filter the file would hold more than was asked for.
    """
    messages.error(request, _("Nothing was downloaded: correct the filters first."))
    given = {
        name: value for name in form.parameters() if (value := request.POST.get(name))
    }
    address = reverse(list_name, query=given)
    if len(address) > LONGEST_ADDRESS:
        address = reverse(list_name)
    return HttpResponseRedirect(address)
