"""Single sign-on: off to the provider, and back from it."""

import logging
from typing import Any, NoReturn

from django.conf import settings
from django.contrib import auth
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from notifications.access.services import logins
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused
from notifications.ui.pages import page

logger = logging.getLogger(__name__)


# What the library keeps of a login that has begun, in the session.
STATES, NEXT = "oidc_states", "oidc_login_next"


class _RequiresSso:
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.OIDC_RP_CLIENT_ID:
            raise Http404
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # of the view
        return response


@method_decorator(never_cache, name="dispatch")
class Begin(_RequiresSso, OIDCAuthenticationRequestView):  # type: ignore[misc]  # untyped
    """Leads to the provider, with a new state, nonce and PKCE challenge."""


@method_decorator(never_cache, name="dispatch")
class Callback(_RequiresSso, OIDCAuthenticationCallbackView):  # type: ignore[misc]  # untyped
    """The provider sends people back to here, with a code or with an error."""

    def get(self, request: HttpRequest) -> HttpResponse:
        begun = request.session.get(STATES, {})
        state = request.GET.get("state", "")
        if state not in begun:  # not written down: anybody can call this address
            return _refused(request, SsoRefusalReason.LOST)
        try:
            if "code" not in request.GET:
                self.give_up(state)
            response: HttpResponse = super().get(request)
        except SsoRefused as refused:
            logins.record_refused_outside(refused)
            return _refused(request, refused.why)
        return response

    def give_up(self, state: str) -> NoReturn:
        """The library would log out whoever is logged in, whoever sent them here."""
        error = self.request.GET.get("error")
        logger.warning("The provider answered no code, but the error %.100r.", error)
        del self.request.session[STATES][state]
        self.request.session.modified = True
        raise SsoRefused(SsoRefusalReason.PROVIDER)

    def login_success(self) -> HttpResponse:
        target = self.success_url
        auth.login(self.request, self.user)
        for name in (STATES, NEXT):
            self.request.session.pop(name, None)
        return HttpResponseRedirect(target)

    def login_failure(self) -> HttpResponse:
        raise SsoRefused(SsoRefusalReason.PROVIDER)


def _refused(request: HttpRequest, why: SsoRefusalReason) -> HttpResponse:
    response = page(
        request,
        "notifications/access/sso_refused.html",
        _("Not logged in"),
        why=why.label,
    )
    response.status_code = 403
    return response
