"""Progress, later the result, of a notification; and the buttons over it."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import roles
from notifications.models import Notification, WrongState
from notifications.selectors.explanations import explain_code
from notifications.selectors.progress import Progress, progress_of
from notifications.services import controls

from .page import page, person


def progress(request: HttpRequest, pk: int) -> HttpResponse:
    notification = _visible(request, pk)
    return page(
        request,
        "notifications/progress.html",
        _("Notification %(number)d") % {"number": pk},
        **_context(request, notification),
    )


def status(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes, for the script that keeps it fresh."""
    notification = _visible(request, pk)
    response = render(
        request, "notifications/_progress.html", _context(request, notification)
    )
    response["Cache-Control"] = "no-store"
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


def _context(request: HttpRequest, notification: Notification) -> dict[str, object]:
    found = progress_of(notification)
    code = notification.paused_code
    is_mine = notification.sender_id == request.user.pk or (
        isinstance(request.user, User) and request.user.is_superuser
    )
    return {
        "n": notification,
        "progress": found,
        "headline": headline(notification, found),
        "paused_by_code": explain_code(code) if code is not None else None,
        "may_control": is_mine and request.user.has_perm(roles.SEND),
    }


def headline(notification: Notification, found: Progress) -> str:
    """Where it stands, in one sentence."""
    numbers = {
        "done": found.done,
        "total": found.total,
        "accepted": found.accepted,
        "failed": found.counts["failed"],
        "unconfirmed": found.counts["unconfirmed"],
        "cancelled": found.counts["cancelled"],
    }
    match notification.status:
        case Notification.Status.PAUSED:
            return _("Paused: %(done)d of %(total)d groups done") % numbers
        case Notification.Status.CANCELLED:
            return (
                _(
                    "Stopped: Tencent accepted it for %(accepted)d of %(total)d groups; "
                    "%(cancelled)d were not called."
                )
                % numbers
            )
        case Notification.Status.COMPLETED if found.accepted == found.total:
            return (
                _("Finished: Tencent accepted it for all %(total)d groups.") % numbers
            )
        case Notification.Status.COMPLETED:
            return (
                _(
                    "Finished: Tencent accepted it for %(accepted)d of %(total)d groups; "
                    "%(failed)d failed, %(unconfirmed)d not confirmed."
                )
                % numbers
            )
    return _("Sending: %(done)d of %(total)d groups done") % numbers


def _control(
    request: HttpRequest, pk: int, act: Callable[[User, int], Notification]
) -> HttpResponse:
    user = person(request, roles.SEND)
    notification = get_object_or_404(Notification, pk=pk)
    try:
        act(user, pk)
    except WrongState:
        messages.warning(
            request, _("That was not possible any more: the state had changed.")
        )
    return redirect(notification)


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _control(request, pk, controls.pause)


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _control(request, pk, controls.resume)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    return _control(request, pk, controls.stop)
