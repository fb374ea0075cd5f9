"""The login after the password: the code of the second factor, lockout, logout."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME, get_user
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from notifications.access import login_state
from notifications.access.forms import AppCodeForm, CodeForm
from notifications.access.login_state import LoginStep
from notifications.access.queries import second_factor_of
from notifications.access.services import second_factor
from notifications.access.services.logins import locked_until, username_for_lockout
from notifications.access.services.second_factor import CodeResult, SecondFactorAnswer
from notifications.ui.pages import page

# The pages that lead on, by the step that a session waits for.
PAGES = {LoginStep.CODE: "admin:login_code", LoginStep.SET_UP: "admin:second_factor"}

TOO_MANY_REQUESTS = 429


@never_cache
@sensitive_post_parameters("code")
def code(request: HttpRequest) -> HttpResponse:
    """Asks for a code of the app or a recovery code; a right one opens the console."""
    person = pending_login(request, LoginStep.CODE)
    if person is None:
        return _password_first(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        verdict = second_factor.verify_code(person, form.cleaned_data["code"])
        if verdict.is_right:
            return _enter(request, person, verdict)
        if verdict.answer == SecondFactorAnswer.WRONG and login_state.count_wrong_code(
            request.session
        ):
            messages.error(request, _("Too many wrong codes. Log in again."))
            return redirect("admin:login")
        status = refuse_login(form, verdict)
    response = page(
        request,
        "notifications/access/login_code.html",
        _("Second step"),
        form=form,
        next=_next(request),
    )
    response.status_code = status
    if status == TOO_MANY_REQUESTS:
        response["Retry-After"] = str(verdict.wait)
    return response


def log_out(request: HttpRequest) -> HttpResponse:
    """Also out of a session that waits, which the admin's own page takes for nobody's."""
    if request.method == "POST" and not request.user.is_authenticated:
        request.session.flush()
    return admin.site.admin_view(admin.site.logout)(request)


def pending_login(request: HttpRequest, step: LoginStep) -> User | None:
    """Whoever gave the password in this session and stands before ``step``."""
    person = get_user(request)
    if not isinstance(person, User) or not person.is_staff:
        return None
    return (
        person if login_state.current_state(request.session, person) == step else None
    )


def pending_login_url(request: HttpRequest, then: str) -> str | None:
    """Where a session that waits goes on, and ``then`` to which address of ours.

    ``None`` for one that does not wait.
    """
    person = get_user(request)
    if not isinstance(person, User):
        return None
    name = PAGES.get(login_state.current_state(request.session, person))
    if name is None:
        return None
    return f"{reverse(name)}?{urlencode({REDIRECT_FIELD_NAME: then})}"


def refuse_login(form: AppCodeForm, verdict: CodeResult) -> int:
    """Say beside the field what is wrong with the code; returns the HTTP status."""
    if verdict.answer == SecondFactorAnswer.TOO_SOON:
        form.add_error("code", _wait(verdict.wait))
        return TOO_MANY_REQUESTS
    form.add_error(
        "code",
        _(
            "This code is wrong or was used before. The app shows another one every "
            "30 seconds."
        ),
    )
    return 200


def _enter(request: HttpRequest, person: User, verdict: CodeResult) -> HttpResponse:
    request.user = person  # from here on, also for the audit trail
    login_state.complete_login(request.session, person, verdict.answer)
    if verdict.answer == SecondFactorAnswer.RECOVERY:
        left = second_factor_of(person).codes_left
        said = ngettext(
            "You logged in with a recovery code. %(n)s is left.",
            "You logged in with a recovery code. %(n)s are left.",
            left,
        )
        messages.warning(request, said % {"n": left})
    return HttpResponseRedirect(_next(request))  # an address, never a name


def _password_first(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("admin:index")
    messages.info(
        request,
        _("Log in with your password first. Then there are 10 minutes for the code."),
    )
    return redirect("admin:login")


def _next(request: HttpRequest) -> str:
    """The page that was asked for, if it is one of ours; else the overview."""
    given = request.POST.get(REDIRECT_FIELD_NAME, request.GET.get(REDIRECT_FIELD_NAME))
    is_ours = url_has_allowed_host_and_scheme(
        given, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return given if given and is_ours else reverse("admin:index")


def _wait(seconds: int) -> str:
    if seconds < 100:
        return ngettext(
            "After wrong codes, wait: try again in %(n)s second.",
            "After wrong codes, wait: try again in %(n)s seconds.",
            seconds,
        ) % {"n": seconds}
    minutes = -(-seconds // 60)
    return ngettext(
        "After wrong codes, wait: try again in %(n)s minute.",
        "After wrong codes, wait: try again in %(n)s minutes.",
        minutes,
    ) % {"n": f"{minutes:,}"}


TOO_MANY = 429


def locked(
    request: Any,
    _response: HttpResponse,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """In place of what the login page answered. Nobody learns whether a name exists."""
    name = username_for_lockout(request, credentials)
    until = locked_until(name, request.axes_ip_address)
    if until is not None:
        until += timedelta(seconds=1)  # the page shows no parts of one
    response = page(
        request,
        "notifications/access/locked.html",
        _("Locked for a while"),
        until=until,
    )
    response.status_code = TOO_MANY
    if until is not None:
        seconds = (until - timezone.now()).total_seconds()
        response["Retry-After"] = str(max(1, round(seconds)))
    # It is called behind the place where Django renders.
    return response.render()
