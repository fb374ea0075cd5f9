"""The connection to Tencent: its last check, checking it, one real notice."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import roles
from notifications.selectors.connection import last_check
from notifications.services.connection_check import check_connection
from notifications.services.trial_notice import send_trial_notice

from .connection_words import first_hour, line
from .page import page, person


def connection(request: HttpRequest) -> HttpResponse:
    """POST checks and leads back, so that a reload asks nobody again."""
    user = person(request, roles.SEE_SYSTEM)
    if request.method == "POST":
        try:
            check_connection(user)
        except ValidationError as error:
            _say(request, error)
        return redirect("admin:connection")
    last = last_check()
    return page(
        request,
        "notifications/connection.html",
        _("Connection to Tencent"),
        last=last,
        lines=[line(result) for result in last.results] if last else [],
        may_send=last is not None and last.has_passed and user.has_perm(roles.SEND),
        first_hour=first_hour(),
    )


@require_POST
def notice(request: HttpRequest) -> HttpResponse:
    """One real notice to the group that was named; then its progress."""
    person(request, roles.SEE_SYSTEM)
    user = person(request, roles.SEND)
    try:
        return redirect(send_trial_notice(user, request.POST.get("group", "").strip()))
    except ValidationError as error:
        _say(request, error)
    return redirect("admin:connection")


def _say(request: HttpRequest, error: ValidationError) -> None:
    for sentence in error.messages:
        messages.warning(request, sentence)
