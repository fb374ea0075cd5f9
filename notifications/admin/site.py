"""The console: Django's admin at the root, with our pages beside its own."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from notifications import roles
from notifications.forms.login import LoginForm
from notifications.services import people
from notifications.views import overview
from notifications.views.page import present_key

from .addresses import own_addresses

# Pages of Django's admin that nothing here leads to.
UNUSED = {"autocomplete", "view_on_site"}


class ConsoleSite(admin.AdminSite):
    site_title = _("Group notifier")
    site_header = _("Group notifier")
    site_url = None
    index_title = _("Overview")
    login_form = LoginForm

    def get_urls(self) -> list[URLPattern | URLResolver]:
        stock = [
            entry
            for entry in super().get_urls()
            if getattr(entry, "name", None) not in UNUSED
        ]
        return own_addresses(self.admin_view) + stock

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
        response: HttpResponse = super().password_change(request, extra_context)
        # Only a new password leads on; all else shows the form again.
        if isinstance(response, HttpResponseRedirect) and isinstance(user, User):
            people.record_password(user, user, present=present_key(request))
        return response  # type: ignore[return-value]  # a redirect, too

    @method_decorator(require_safe)
    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        may_see = request.user.has_perm(roles.SEE_HISTORY)
        shown = overview.context(request) if may_see else {}
        may_nothing = not may_see and not request.user.get_all_permissions()
        context = {**(extra_context or {}), **shown, "may_nothing": may_nothing}
        return super().index(request, context)
