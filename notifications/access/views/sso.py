"""Views of single sign-on: the redirect to the provider, and its callback."""

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


# Session keys of the library for a pending login.
STATES, NEXT = "oidc_states", "oidc_login_next"


class _RequiresSso:
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.OIDC_RP_CLIENT_ID:
            raise Http404
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # of the view
        return response


@method_decorator(never_cache, name="dispatch")
class Begin(_RequiresSso, OIDCAuthenticationRequestView):  # type: ignore[misc]  # untyped
    """Redirect to the provider, with a new state, nonce and PKCE challenge."""


@method_decorator(never_cache, name="dispatch")
class Callback(_RequiresSso, OIDCAuthenticationCallbackView):  # type: ignore[misc]  # untyped
    """Callback of the provider, with a code or with an error."""

    def get(self, request: HttpRequest) -> HttpResponse:
        states = request.session.get(STATES, {})
        state = request.GET.get("state", "")
        if state not in states:  # not recorded: this URL is open to any visitor
            return _refused(request, SsoRefusalReason.LOST)
        try:
            if "code" not in request.GET:
                self.refuse(state)
            response: HttpResponse = super().get(request)
        except SsoRefused as refused:
            logins.record_refused_sso_login(refused)
            return _refused(request, refused.why)
        return response

    def refuse(self, state: str) -> NoReturn:
        """Refuse without logging out; the library would log out a logged-in visitor."""
        error = self.request.GET.get("error")
        logger.warning(
            "The identity provider returned the error %.100r instead of a code.", error
        )
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
