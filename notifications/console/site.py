"""The console: Django's admin at the root, with our pages beside its own."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, authenticate
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from notifications import permissions
from notifications.access.forms import LoginForm
from notifications.access.services import people
from notifications.access.views.login import pending_login_url
from notifications.history.overview import presentation as overview_presentation
from notifications.ui.pages import session_key
from notifications.urls import console_urls

# Pages of Django's admin that nothing here leads to.
UNUSED = {"autocomplete", "view_on_site"}


class ConsoleSite(admin.AdminSite):
    site_title = _("Group notifier")
    site_header = _("Group notifier")
    site_url = None
    index_title = _("Overview")
    login_form = LoginForm

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = console_urls(self.admin_view)
        without = UNUSED | {getattr(entry, "name", None) for entry in own}
        stock = super().get_urls()
        return own + [e for e in stock if getattr(e, "name", None) not in without]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Leads on whoever has given the password, here or before, to the second step."""
        then = request.GET.get(REDIRECT_FIELD_NAME, "")
        if request.method == "GET" and (page := pending_login_url(request, then)):
            return HttpResponseRedirect(page)
        response: HttpResponse = super().login(request, extra_context)
        if isinstance(response, HttpResponseRedirect):
            page = pending_login_url(request, response.url)
            return HttpResponseRedirect(page) if page else response
        return response

    def app_index(
        self,
        request: HttpRequest,
        app_label: str,
        extra_context: dict[str, Any] | None = None,
    ) -> TemplateResponse:
        """Its address stays, because the admin's templates name it."""
        raise Http404

    @transaction.atomic
    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        user = request.user
        if isinstance(user, User) and not user.has_usable_password():
            raise PermissionDenied(
                _("You log in by single sign-on and have no password here.")
            )
        present = request.POST.get("old_password")
        if present and isinstance(user, User):
            # A wrong one counts like a wrong login; axes answers for who is locked out.
            authenticate(request, username=user.get_username(), password=present)
            if getattr(request, "axes_locked_out", False):
                return HttpResponse(status=429)  # type: ignore[return-value]  # replaced
        response: HttpResponse = super().password_change(request, extra_context)
        # Only a new password leads on; all else shows the form again.
        if isinstance(response, HttpResponseRedirect) and isinstance(user, User):
            people.record_password(user, user, present=session_key(request))
        return response  # type: ignore[return-value]  # a redirect, too

    @method_decorator(require_safe)
    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        may_see = request.user.has_perm(permissions.SEE_HISTORY)
        shown = overview_presentation.overview_context(request) if may_see else {}
        may_nothing = not may_see and not request.user.get_all_permissions()
        context = {**(extra_context or {}), **shown, "may_nothing": may_nothing}
        return super().index(request, context)
