"""The pages of a login: the password or a passkey, the code, lockout, logout."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.logout import logout as end_pending_login
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.internal.stagekit import stash_login
from allauth.account.views import LoginView, ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.views import LoginWebAuthnView, ReauthenticateWebAuthnView
from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.access.lockout import locked_until, username_for_lockout
from notifications.access.queries import second_factors_of
from notifications.access.services import logins
from notifications.ui.pages import has_recent_proof, page, require_login

TOO_MANY_REQUESTS = 429

MAX_WRONG_CODES = 5


class Framed:
    """Adds the frame of the console to a page of django-allauth."""

    title: Any = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = admin.site.each_context(self.request)  # type: ignore[attr-defined]  # of the view
        context = super().get_context_data(**kwargs)  # type: ignore[misc]  # of the view
        context |= frame | {"title": self.title}
        return dict(context)


class Login(Framed, LoginView):  # type: ignore[misc]  # untyped
    title = gettext_lazy("Log in")
    template_name = "notifications/access/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(passkey_login=settings.PASSKEY_LOGIN, **kwargs)


class PasskeyLogin(LoginWebAuthnView):  # type: ignore[misc]  # untyped
    """The login with a passkey alone, where ``PASSKEY_LOGIN`` permits it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.PASSKEY_LOGIN == "off":
            raise Http404
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        logins.record_refused_passkey()
        response: HttpResponse = super().form_invalid(form)
        return response


class Code(Framed, AuthenticateView):  # type: ignore[misc]  # untyped
    """Asks for a code of the app, a recovery code or a passkey, which completes the login."""

    title = gettext_lazy("Second step")
    template_name = "notifications/access/login_code.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        factors = second_factors_of(self.stage.login.user)
        return context | {"factors": factors}

    def form_valid(self, form: Any) -> HttpResponse:
        person = self.stage.login.user
        response: HttpResponse = super().form_valid(form)
        last = get_authentication_records(self.request, person)[-1:]
        if last and last[0].get("type") == "recovery_codes":
            left = second_factors_of(person).recovery_codes_left
            sentence = ngettext(
                "You logged in with a recovery code. %(n)s is left.",
                "You logged in with a recovery code. %(n)s are left.",
                left,
            )
            messages.warning(self.request, sentence % {"n": left})
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        if form.has_error("code", "wrong") or form.has_error("credential"):
            state = self.stage.state
            state["wrong"] = state.get("wrong", 0) + 1
            if state["wrong"] >= MAX_WRONG_CODES:
                messages.error(self.request, _("Too many wrong codes. Log in again."))
                ended: HttpResponse = self.stage.abort()
                return ended
            stash_login(self.request, self.stage.login)
        response: HttpResponse = super().form_invalid(form)
        if wait := getattr(form, "result", None) and form.result.wait:
            response.status_code = TOO_MANY_REQUESTS
            response["Retry-After"] = str(wait)
        return response


class Reauthenticate(Framed, ReauthenticateView):  # type: ignore[misc]  # untyped
    """Asks for the password. People of single sign-on log in again at their provider."""

    title = gettext_lazy("Confirm that it is you")
    template_name = "notifications/access/reauthenticate.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = require_login(request)
        if not person.has_usable_password() and has_recent_proof(request):
            resumed = resume_request(request)
            return resumed or redirect(self.get_default_success_url())
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(address=self.request.get_full_path(), **kwargs)


class ReauthenticateByPasskey(Framed, ReauthenticateWebAuthnView):  # type: ignore[misc]  # untyped
    title = gettext_lazy("Confirm that it is you")
    template_name = "notifications/access/reauthenticate.html"


def log_out(request: HttpRequest) -> HttpResponse:
    """Log out, also from a login whose second factor is awaited."""
    if request.method == "POST" and not request.user.is_authenticated:
        end_pending_login(request)
        request.session.flush()
        return redirect("account_login")
    return admin.site.admin_view(admin.site.logout)(request)


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
