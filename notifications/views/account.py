"""Account: oneself, the password, the second factor, and where one is logged in."""

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import roles
from notifications.selectors.second_factors import state_of
from notifications.selectors.sessions import browser_in_words, open_sessions

from .page import anybody, page, present_key


@require_safe
def account(request: HttpRequest) -> TemplateResponse:
    user = anybody(request)
    names = sorted(roles.label(role.name) for role in user.groups.all())
    if user.is_superuser:
        names.insert(0, _("May do everything"))
    key = present_key(request)
    return page(
        request,
        "notifications/account.html",
        _("Account"),
        roles=names,
        factor=state_of(user),
        sessions=[
            (session, browser_in_words(session.browser), session.session_key == key)
            for session in open_sessions([user.pk])
        ],
    )
