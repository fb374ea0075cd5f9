"""Downloading the evidence of one notification."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from notifications import roles
from notifications.models import Notification
from notifications.services.evidence import evidence

from .files import as_file
from .page import person


@require_POST
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A ZIP file; or back to the page, which then says why there is none."""
    user = person(request, roles.EXPORT_HISTORY)
    person(request, roles.SEE_HISTORY)
    try:
        found = evidence(user, pk)
    except Notification.DoesNotExist:
        raise Http404 from None
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("admin:notification_progress", pk)
    return as_file(found.pieces, found.name, "application/zip")
