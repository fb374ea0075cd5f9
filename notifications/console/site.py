"""The admin site of the console: Django's admin with additional pages."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import authenticate
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
from notifications.access.services import people
from notifications.history.overview import presentation as overview_presentation
from notifications.ui.pages import session_key
from notifications.urls import console_urls

# Names of unused pages of Django's admin.
UNUSED_PAGES = {"autocomplete", "view_on_site"}


class ConsoleSite(admin.AdminSite):
    site_title = _("Group notifier")
    site_header = _("Group notifier")
    site_url = None
    index_title = _("Overview")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = console_urls(self.admin_view)
        excluded = UNUSED_PAGES | {url.name for url in own}
        stock = super().get_urls()
        return own + [
            url for url in stock if getattr(url, "name", None) not in excluded
        ]

    def app_index(
        self,
        request: HttpRequest,
        app_label: str,
        extra_context: dict[str, Any] | None = None,
    ) -> TemplateResponse:
        """Disabled; the URL remains because the admin's templates use it."""
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
        if request.method == "POST" and isinstance(user, User):
            # The form saves the whole row: without the lock, it would undo a change of
            # the person, such as the end of the right to log in.
            user.refresh_from_db(from_queryset=User.objects.select_for_update())
            if not user.is_active:
                raise PermissionDenied
        old_password = request.POST.get("old_password")
        if old_password and isinstance(user, User):
            # A wrong password counts as a wrong login. django-axes replaces the response
            # during a lockout.
            authenticate(request, username=user.get_username(), password=old_password)
            if getattr(request, "axes_locked_out", False):
                return HttpResponse(status=429)  # type: ignore[return-value]  # replaced
        response: HttpResponse = super().password_change(request, extra_context)
        # A redirect is the answer to a new password; errors show the form again.
        if isinstance(response, HttpResponseRedirect) and isinstance(user, User):
            people.record_password(user, present=session_key(request))
        return response  # type: ignore[return-value]  # or a redirect

    @method_decorator(require_safe)
    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        can_view = request.user.has_perm(permissions.SEE_HISTORY)
        overview = overview_presentation.overview_context(request) if can_view else {}
        has_no_permissions = not can_view and not request.user.get_all_permissions()
        context = {
            **(extra_context or {}),
            **overview,
            "has_no_permissions": has_no_permissions,
        }
        return super().index(request, context)
