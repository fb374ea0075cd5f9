"""The Account page, and the buttons that end sessions."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.access.queries import browser_label, open_sessions, second_factors_of
from notifications.access.services import sessions
from notifications.ui.pages import (
    page,
    require_login,
    require_permission,
    require_recent_proof,
    session_key,
)


@require_safe
def account(request: HttpRequest) -> TemplateResponse:
    user = require_login(request)
    names = sorted(permissions.role_label(role.name) for role in user.groups.all())
    if user.is_superuser:
        names.insert(0, _("May do everything"))
    key = session_key(request)
    return page(
        request,
        "notifications/access/account.html",
        _("Account"),
        roles=names,
        factors=second_factors_of(user),
        sessions=[
            (session, browser_label(session.browser), session.session_key == key)
            for session in open_sessions([user.pk])
        ],
    )


@require_POST
def end_one(request: HttpRequest) -> HttpResponse:
    public_id = request.POST.get("session", "")
    ended = sessions.end_one(
        require_login(request), public_id, present=session_key(request)
    )
    if ended:
        messages.success(request, _("That session is ended."))
    else:
        messages.info(request, _("That session had ended already."))
    return redirect("admin:account")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    ended = sessions.end_others(require_login(request), present=session_key(request))
    _add_message(request, ended)
    return redirect("admin:account")


@require_POST
def end_all_of(request: HttpRequest, pk: int) -> HttpResponse:
    """End all sessions of a person, on that person's page."""
    user = require_permission(request, "auth.change_user")
    require_recent_proof(request)
    person = get_object_or_404(User, pk=pk)
    ended = sessions.end_sessions_of(user, person, present=session_key(request))
    _add_message(request, ended)
    return redirect("admin:auth_user_change", pk)


def _add_message(request: HttpRequest, ended: int) -> None:
    if not ended:
        messages.info(request, _("No other session was open."))
        return
    sentence = ngettext(
        "%(n)d session is ended.", "%(n)d sessions are ended.", ended
    ) % {"n": ended}
    messages.success(request, sentence)
