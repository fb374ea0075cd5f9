"""Views of single sign-on: the redirect to a provider, and its callback."""

from typing import Any

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import (
    OAuth2CallbackView,
    OAuth2LoginView,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.access.services import logins
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused
from notifications.access.sso import OidcAdapter
from notifications.ui.pages import page


@never_cache
@require_safe
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirect to the provider, with a new state, nonce and PKCE challenge."""
    return _respond(OAuth2LoginView, request, provider_id)


@never_cache
@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Callback of the provider, with a code or with an error.

    A person who logged in again goes on with the request that asked for it: django-allauth
    ends the session of the first login, with the request in it.
    """
    person = request.user.pk
    suspended = request.session.get(STATE_SESSION_KEY)
    response = _respond(OAuth2CallbackView, request, provider_id)
    if suspended and request.user.pk == person:
        request.session[STATE_SESSION_KEY] = suspended
    return response


def _respond(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        response: HttpResponse = view.adapter_view(OidcAdapter(request, provider_id))(
            request
        )
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except SsoRefused as refused:
        # Not recorded without a login under way: the URL is open to any visitor.
        if refused.why != SsoRefusalReason.LOST and view is OAuth2CallbackView:
            logins.record_refused_sso_login(refused)
        return _refused(request, refused.why)
    return response


def _refused(request: HttpRequest, why: SsoRefusalReason) -> HttpResponse:
    response = page(
        request,
        "notifications/access/sso_refused.html",
        _("Not logged in"),
        why=why.label,
    )
    response.status_code = 403
    return response
