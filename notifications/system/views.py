"""The System page and the page of the connection to Tencent."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.delivery.heartbeat import has_live_worker
from notifications.system import state as system_state
from notifications.system.connection_check import (
    last_check,
    present_request,
    request_check,
    send_trial_notice,
)
from notifications.system.connection_presentation import first_hour, line, refusals
from notifications.system.presentation import problems, sections
from notifications.ui.pages import page, require_permission


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    require_permission(request, permissions.SEE_SYSTEM)
    state = system_state.state(timezone.now())
    return page(
        request,
        "notifications/system/system.html",
        _("System"),
        state=state,
        problems=problems(state),
        sections=sections(state),
    )


def connection(request: HttpRequest) -> HttpResponse:
    """POST asks the worker and redirects to the page, which waits for the answer."""
    user = require_permission(request, permissions.SEE_SYSTEM)
    if request.method == "POST":
        try:
            request_check(user)
        except ValidationError as error:
            _add_warnings(request, error)
        return redirect("admin:connection")
    last = last_check()
    asked = present_request(user)
    is_waiting = asked is not None and asked.is_waiting
    return page(
        request,
        "notifications/system/connection.html",
        _("Connection to Tencent"),
        last=last,
        is_waiting=is_waiting,
        has_worker=not is_waiting or has_live_worker(),
        refusals=refusals(asked) if asked is not None else [],
        lines=[line(result) for result in last.results] if last else [],
        may_send=last is not None
        and last.has_passed
        and user.has_perm(permissions.SEND),
        first_hour=first_hour(),
    )


@require_safe
def connection_status(request: HttpRequest) -> HttpResponse:
    """Whether the worker has answered, for the script that refreshes it."""
    user = require_permission(request, permissions.SEE_SYSTEM)
    asked = present_request(user)
    response = render(
        request,
        "notifications/system/_connection_asked.html",
        {"has_worker": has_live_worker()},
    )
    if asked is None or not asked.is_waiting:
        response["X-Done"] = "1"
    return response


@require_POST
def notice(request: HttpRequest) -> HttpResponse:
    """Send one real notice to the posted group, and redirect to its progress."""
    require_permission(request, permissions.SEE_SYSTEM)
    user = require_permission(request, permissions.SEND)
    try:
        return redirect(send_trial_notice(user, request.POST.get("group", "").strip()))
    except ValidationError as error:
        _add_warnings(request, error)
    return redirect("admin:connection")


def _add_warnings(request: HttpRequest, error: ValidationError) -> None:
    for sentence in error.messages:
        messages.warning(request, sentence)
