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

# The page of each pending step of a login.
STEP_PAGES = {
    LoginStep.CODE: "admin:login_code",
    LoginStep.SET_UP: "admin:second_factor",
}

TOO_MANY_REQUESTS = 429


@never_cache
@sensitive_post_parameters("code")
def code(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the app or a recovery code, which completes the login."""
    person = pending_login(request, LoginStep.CODE)
    if person is None:
        return _password_first(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    result = None
    if form.is_valid():
        result = second_factor.verify_code(person, form.cleaned_data["code"])
        if result.is_right:
            return _complete_login(request, person, result)
        if result.answer == SecondFactorAnswer.WRONG and login_state.count_wrong_code(
            request.session
        ):
            messages.error(request, _("Too many wrong codes. Log in again."))
            return redirect("admin:login")
        add_code_error(form, result)
    response = page(
        request,
        "notifications/access/login_code.html",
        _("Second step"),
        form=form,
        next=_next_url(request),
    )
    return set_retry_after(response, result)


def log_out(request: HttpRequest) -> HttpResponse:
    """Log out, also from a half-authenticated session, which the admin treats as anonymous."""
    if request.method == "POST" and not request.user.is_authenticated:
        request.session.flush()
    return admin.site.admin_view(admin.site.logout)(request)


def pending_login(request: HttpRequest, step: LoginStep) -> User | None:
    """Return the half-authenticated person whose next step is ``step``."""
    person = get_user(request)
    if not isinstance(person, User) or not person.is_staff:
        return None
    is_pending = login_state.current_state(request.session, person) == step
    return person if is_pending else None


def pending_login_url(request: HttpRequest, then: str) -> str | None:
    """Return the URL of the pending step of a login, which redirects to ``then`` later.

    ``None`` for a session without a pending step.
    """
    person = get_user(request)
    if not isinstance(person, User):
        return None
    name = STEP_PAGES.get(login_state.current_state(request.session, person))
    if name is None:
        return None
    return f"{reverse(name)}?{urlencode({REDIRECT_FIELD_NAME: then})}"


def add_code_error(form: AppCodeForm, result: CodeResult) -> None:
    """Add the error to the field of the code."""
    form.add_error(
        "code",
        _wait_message(result.wait)
        if result.answer == SecondFactorAnswer.TOO_SOON
        else _(
            "This code is wrong or was used before. The app shows another one every "
            "30 seconds."
        ),
    )


def set_retry_after(response: HttpResponse, result: CodeResult | None) -> HttpResponse:
    """Set the status 429 if wrong codes require waiting."""
    if result is not None and result.answer == SecondFactorAnswer.TOO_SOON:
        response.status_code = TOO_MANY_REQUESTS
        response["Retry-After"] = str(result.wait)
    return response


def _complete_login(
    request: HttpRequest, person: User, result: CodeResult
) -> HttpResponse:
    request.user = person  # from here on, also for the audit trail
    login_state.complete_login(request.session, person, result.answer)
    if result.answer == SecondFactorAnswer.RECOVERY:
        left = second_factor_of(person).recovery_codes_left
        sentence = ngettext(
            "You logged in with a recovery code. %(n)s is left.",
            "You logged in with a recovery code. %(n)s are left.",
            left,
        )
        messages.warning(request, sentence % {"n": left})
    return HttpResponseRedirect(_next_url(request))  # a URL, never a URL name


def _password_first(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("admin:index")
    messages.info(
        request,
        _("Log in with your password first. Then there are 10 minutes for the code."),
    )
    return redirect("admin:login")


def _next_url(request: HttpRequest) -> str:
    """Return the requested page if it is on this site, else the overview."""
    url = request.POST.get(REDIRECT_FIELD_NAME, request.GET.get(REDIRECT_FIELD_NAME))
    is_own = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if url and is_own else reverse("admin:index")


def _wait_message(seconds: int) -> str:
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


def locked(
    request: Any,
    _response: HttpResponse,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Replace the response of the login page. It does not reveal whether a name exists."""
    name = username_for_lockout(request, credentials)
    until = locked_until(name, request.axes_ip_address)
    if until is not None:
        until += timedelta(seconds=1)  # the page shows whole seconds
    response = page(
        request,
        "notifications/access/locked.html",
        _("Locked for a while"),
        until=until,
    )
    response.status_code = TOO_MANY_REQUESTS
    if until is not None:
        seconds = (until - timezone.now()).total_seconds()
        response["Retry-After"] = str(max(1, round(seconds)))
    # django-axes calls this after the point where Django renders responses.
    return response.render()
