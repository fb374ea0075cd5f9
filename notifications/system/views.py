"""The System page and the page of the connection to Tencent."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.delivery.capabilities import default_of, offered_channels
from notifications.delivery.heartbeat import has_live_worker
from notifications.models import Channel, WorkerRequest
from notifications.system import state as system_state
from notifications.system.connection_check import (
    last_check,
    present_request,
    request_check,
    send_trial_notice,
)
from notifications.system.connection_presentation import first_hour, line, refusals
from notifications.system.presentation import problems, sections
from notifications.system.probe.presentation import capability_table
from notifications.system.probe.run import steps_for
from notifications.system.probe.services import (
    leftovers,
    request_probe,
    text,
    usable_group,
)
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
    asked = _requests(user)
    waiting = [request for request in asked if request.is_waiting]
    may_send = user.has_perm(permissions.SEND)
    return page(
        request,
        "notifications/system/connection.html",
        _("Connection to Tencent"),
        last=last,
        waiting=waiting,
        has_worker=not waiting or has_live_worker(),
        refusals=[sentence for request in asked for sentence in refusals(request)],
        lines=[line(result) for result in last.results] if last else [],
        may_send=may_send and last is not None and last.has_passed,
        trial_channel=Channel(default_of(offered_channels())).label,
        capabilities=capability_table(),
        leftovers=leftovers(),
        may_probe=may_send,
        plan=_probe_plan(request) if may_send and "group" in request.GET else None,
        first_hour=first_hour(),
    )


def _requests(user: User) -> list[WorkerRequest]:
    kinds = (WorkerRequest.Kind.CONNECTION, WorkerRequest.Kind.PROBE)
    present = (present_request(user, kind) for kind in kinds)
    return [request for request in present if request is not None]


def _probe_plan(request: HttpRequest) -> dict[str, Any]:
    """What members of the chosen group will see, before anything is sent."""
    group_id = request.GET["group"].strip()
    member = request.GET.get("member", "").strip()
    try:
        group = usable_group(group_id)
    except ValidationError as error:
        return {"group_id": group_id, "member": member, "problems": error.messages}
    seen = [step.seen for step in steps_for(group) if step.seen]
    name = member or settings.IM_ADMIN_ACCOUNT
    return {
        "group": group,
        "group_id": group.group_id,
        "member": member,
        "seen": [sentence % {"member": name} for sentence in seen],
        "text": text(),
    }


@require_safe
def connection_status(request: HttpRequest) -> HttpResponse:
    """Whether the worker has answered, for the script that refreshes it."""
    user = require_permission(request, permissions.SEE_SYSTEM)
    waiting = [request for request in _requests(user) if request.is_waiting]
    response = render(
        request,
        "notifications/system/_connection_asked.html",
        {"has_worker": has_live_worker(), "waiting": waiting},
    )
    if not waiting:
        response["X-Done"] = "1"
    return response


@require_POST
def probe(request: HttpRequest) -> HttpResponse:
    """Ask the worker to probe with the posted group; redirect to the page that waits."""
    require_permission(request, permissions.SEE_SYSTEM)
    user = require_permission(request, permissions.SEND)
    fields = (request.POST.get(name, "").strip() for name in ("group", "member"))
    try:
        request_probe(user, *fields)
    except ValidationError as error:
        _add_warnings(request, error)
    return redirect("admin:connection")


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
