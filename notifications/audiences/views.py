"""Saved audiences: their list, and the page of one."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import permissions
from notifications.audiences import saved as audiences_saved
from notifications.audiences.audience import matching_groups
from notifications.audiences.forms import AudienceForm
from notifications.models import SavedAudience
from notifications.ui.pages import page, require_permission

PER_PAGE = 20


@require_safe
def audiences(request: HttpRequest) -> HttpResponse:
    """All of them by name, each with what it means at this moment."""
    user = require_permission(request, permissions.SEE_GROUPS)
    saved = SavedAudience.objects.order_by("name")
    shown = Paginator(saved, PER_PAGE).get_page(request.GET.get("page"))
    return page(
        request,
        "notifications/audiences/audiences.html",
        _("Audiences"),
        rows=shown,
        told=[(one, str(one.rule), matching_groups(one.rule)) for one in shown],
        may_change=user.has_perm(permissions.CHANGE_AUDIENCES),
    )


def add(request: HttpRequest) -> HttpResponse:
    require_permission(request, permissions.CHANGE_AUDIENCES)
    return _form(request, None)


def audience(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: to change for those who may, to read for the others."""
    user = require_permission(request, permissions.SEE_GROUPS)
    saved = get_object_or_404(SavedAudience, pk=pk)
    if user.has_perm(permissions.CHANGE_AUDIENCES):
        return _form(request, saved)
    if request.method == "POST":
        require_permission(request, permissions.CHANGE_AUDIENCES)
    return page(
        request,
        "notifications/audiences/audience.html",
        saved.name,
        audience=saved,
        told=saved.rule.conditions(),
        meant=matching_groups(saved.rule),
    )


def _form(request: HttpRequest, saved: SavedAudience | None) -> HttpResponse:
    """What "Count" posts shows how many groups are meant, and saves nothing."""
    user = require_permission(request, permissions.CHANGE_AUDIENCES)
    is_posted = request.method == "POST"
    form = AudienceForm(request.POST if is_posted else None, audience=saved)
    if is_posted and form.is_valid() and "count" not in request.POST:
        form.check_name()
        if not form.errors and form.found is not None:
            name = form.cleaned_data["name"]
            pk = saved.pk if saved else None
            kept = audiences_saved.save(user, name, form.found, pk=pk)
            messages.success(
                request, _("The audience “%(name)s” is saved.") % {"name": kept.name}
            )
            return redirect("admin:audience", kept.pk)
    return page(
        request,
        "notifications/audiences/audience_form.html",
        saved.name if saved else _("New audience"),
        form=form,
        audience=saved,
        meant=matching_groups(form.found) if form.found else None,
        is_counted=is_posted,
    )


def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first."""
    user = require_permission(request, permissions.CHANGE_AUDIENCES)
    saved = get_object_or_404(SavedAudience, pk=pk)
    if request.method == "POST":
        audiences_saved.delete(user, pk)
        said = _("The audience “%(name)s” is deleted.") % {"name": saved.name}
        messages.success(request, said)
        return redirect("admin:audiences")
    return page(
        request,
        "notifications/audiences/audience_delete.html",
        _("Delete the audience “%(name)s”?") % {"name": saved.name},
        audience=saved,
        told=str(saved.rule),
    )
