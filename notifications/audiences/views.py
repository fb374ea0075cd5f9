"""Pages of saved audiences: the list, the form and the confirmation of a deletion."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import permissions
from notifications.audiences import saved as audiences_saved
from notifications.audiences.audience import matching_groups
from notifications.audiences.forms import AudienceForm
from notifications.models import SavedAudience
from notifications.ui.made_from import SHOWN, ChangedSinceShown
from notifications.ui.pages import page, require_permission

PER_PAGE = 20


@require_safe
def audiences(request: HttpRequest) -> HttpResponse:
    """The saved audiences by name, each with the groups that match it now."""
    user = require_permission(request, permissions.SEE_GROUPS)
    saved = SavedAudience.objects.order_by("name")
    shown = Paginator(saved, PER_PAGE).get_page(request.GET.get("page"))
    return page(
        request,
        "notifications/audiences/audiences.html",
        _("Audiences"),
        rows=shown,
        audiences=[(one, str(one.rule), matching_groups(one.rule)) for one in shown],
        may_change=user.has_perm(permissions.CHANGE_AUDIENCES),
    )


def add(request: HttpRequest) -> HttpResponse:
    require_permission(request, permissions.CHANGE_AUDIENCES)
    return _form(request, None)


def audience(request: HttpRequest, pk: int) -> HttpResponse:
    """A form with the permission to change audiences; read-only without it."""
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
        conditions=saved.rule.conditions(),
        matching=matching_groups(saved.rule),
    )


def _form(request: HttpRequest, saved: SavedAudience | None) -> HttpResponse:
    """The button “Count” shows how many groups match, and saves nothing."""
    user = require_permission(request, permissions.CHANGE_AUDIENCES)
    is_posted = request.method == "POST"
    form = AudienceForm(request.POST if is_posted else None, audience=saved)
    if is_posted and form.is_valid() and "count" not in request.POST:
        form.check_name()
        if not form.errors and form.valid_rule is not None:
            name = form.cleaned_data["name"]
            pk = saved.pk if saved else None
            try:
                after = audiences_saved.save(
                    user, name, form.valid_rule, pk=pk, shown=saved
                )
            except audiences_saved.AudienceChanged:
                return _form(request, get_object_or_404(SavedAudience, pk=pk))
            except SavedAudience.DoesNotExist:
                raise Http404 from None
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(
                    request,
                    _("The audience “%(name)s” is saved.") % {"name": after.name},
                )
                return redirect("admin:audience", after.pk)
    return page(
        request,
        "notifications/audiences/audience_form.html",
        saved.name if saved else _("New audience"),
        form=form,
        audience=saved,
        matching=matching_groups(form.valid_rule) if form.valid_rule else None,
        is_counted=is_posted,
    )


def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete an audience after a confirmation."""
    user = require_permission(request, permissions.CHANGE_AUDIENCES)
    saved = get_object_or_404(SavedAudience, pk=pk)
    if request.method == "POST":
        try:
            audiences_saved.delete(user, pk, shown=request.POST.get(SHOWN, ""))
        except SavedAudience.DoesNotExist:
            raise Http404 from None
        except ChangedSinceShown as error:
            messages.warning(request, error.messages[0])
            return redirect("admin:audience_delete", pk)
        messages.success(
            request, _("The audience “%(name)s” is deleted.") % {"name": saved.name}
        )
        return redirect("admin:audiences")
    return page(
        request,
        "notifications/audiences/audience_delete.html",
        _("Delete the audience “%(name)s”?") % {"name": saved.name},
        audience=saved,
        rule=str(saved.rule),
        shown=audiences_saved.audience_shown(saved),
    )
