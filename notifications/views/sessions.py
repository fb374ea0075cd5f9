"""The buttons that end sessions: one of one's own, all others, all of somebody."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from notifications.services import sessions

from .page import anybody, person, present_key


@require_POST
def end_one(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("session", "")
    ended = sessions.end_one(anybody(request), chosen, present=present_key(request))
    if ended:
        messages.success(request, _("That session is ended."))
    else:
        messages.info(request, _("That session had ended already."))
    return redirect("admin:account")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    _say(request, sessions.end_others(anybody(request), present=present_key(request)))
    return redirect("admin:account")


@require_POST
def end_all_of(request: HttpRequest, pk: int) -> HttpResponse:
    """From the page of a person."""
    user = person(request, "auth.change_user")
    whose = get_object_or_404(User, pk=pk)
    _say(request, sessions.end_all_of(user, whose, present=present_key(request)))
    return redirect("admin:auth_user_change", pk)


def _say(request: HttpRequest, ended: int) -> None:
    if not ended:
        messages.info(request, _("No other session was open."))
        return
    sentence = ngettext(
        "%(n)d session is ended.", "%(n)d sessions are ended.", ended
    ) % {"n": ended}
    messages.success(request, sentence)
