"""The Account page, the own address of mail, and the buttons that end sessions."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.access.forms import AddressForm
from notifications.access.queries import browser_label, open_sessions, second_factors_of
from notifications.access.services import links, sessions
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


def address(request: HttpRequest) -> HttpResponse:
    """Change one's own address of mail, by a link to the new one."""
    user = _owner_of_password(request)
    require_recent_proof(request)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and settings.MAIL_IS_CONFIGURED and form.is_valid():
        new = form.cleaned_data["email"]
        links.mail_address_link(user, new, request)
        sentence = _(
            "A link was sent to %(address)s. Open it, logged in, within a day; until then "
            "the old address counts."
        )
        messages.info(request, sentence % {"address": new})
        return redirect("admin:account")
    return page(
        request,
        "notifications/access/address.html",
        _("Change the email address"),
        form=form,
        has_mail=settings.MAIL_IS_CONFIGURED,
    )


def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """The page of the link. A GET changes nothing: programs that scan mails open links."""
    user = _owner_of_password(request)
    try:
        if request.method == "POST":
            links.change_own_address(user, token)
            messages.success(request, _("Your email address is changed."))
            return redirect("admin:account")
        new = links.confirmed_address(user, token)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("admin:account")
    return page(
        request,
        "notifications/access/address_confirm.html",
        _("Change the email address"),
        new=new,
    )


def _owner_of_password(request: HttpRequest) -> User:
    """The address of a person of single sign-on is that at the provider."""
    user = require_login(request)
    if not user.has_usable_password():
        raise PermissionDenied(
            _("You log in by single sign-on and have no password here.")
        )
    return user


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
