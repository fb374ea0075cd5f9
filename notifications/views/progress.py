"""Progress, later the result, of a notification; and the buttons over it."""

from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import roles
from notifications.delivery.presence import worker_is_there
from notifications.forms.filters import NotificationFilterForm
from notifications.models import Notification
from notifications.selectors.actions import of_notification
from notifications.selectors.dossier import dossier
from notifications.selectors.explanations import explain_code
from notifications.selectors.progress import progress_of
from notifications.selectors.resend import groups_again
from notifications.selectors.waiting import waiting
from notifications.services.evidence import obstacle

from .listing import way_back
from .page import may_control, page
from .standing import ADVICE, headline, why_it_is_held, why_it_waits


@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    notification = _visible(request, pk)
    return page(
        request,
        "notifications/progress.html",
        _("Notification %(number)d") % {"number": pk},
        **_context(request, notification),
        **_record(request, notification),
        back=way_back(request, NotificationFilterForm),
    )


@require_safe
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes, for the script that keeps it fresh."""
    notification = _visible(request, pk)
    response = render(
        request, "notifications/_progress.html", _context(request, notification)
    )
    if notification.has_ended:
        response["X-Done"] = "1"
    return response


def _visible(request: HttpRequest, pk: int) -> Notification:
    user = request.user
    notification = get_object_or_404(Notification, pk=pk)
    is_own = notification.sender_id == user.pk and user.has_perm(roles.SEND)
    if not is_own and not user.has_perm(roles.SEE_HISTORY):
        raise PermissionDenied
    if notification.status == Notification.Status.DRAFT:
        raise Http404
    return notification


def _record(request: HttpRequest, notification: Notification) -> dict[str, object]:
    """The sections for whoever may see the history."""
    if not request.user.has_perm(roles.SEE_HISTORY):
        return {}
    found = dossier(notification)
    return {
        "dossier": found,
        "results": [
            (result, f"{reverse('admin:deliveries')}?{urlencode(dict(result.filter))}")
            for result in found.results
        ],
        "timeline": of_notification(notification.pk),
        "no_evidence_because": obstacle(notification, found.seal, found.archive),
    }


def _context(request: HttpRequest, notification: Notification) -> dict[str, object]:
    found = progress_of(notification)
    code = notification.paused_code
    rest = waiting(
        notification,
        found.calls,
        now=timezone.now(),
        has_worker=worker_is_there(),
    )
    return {
        "n": notification,
        "again": groups_again(notification),
        "waits": why_it_waits(rest),
        "resends": notification.resends.order_by("pk"),
        "held_because": why_it_is_held(notification),
        "paused_advice": ADVICE.get(notification.paused_reason),
        "progress": found,
        "headline": headline(notification, found),
        "paused_by_code": explain_code(code) if code is not None else None,
        "may_control": may_control(request, notification),
    }
