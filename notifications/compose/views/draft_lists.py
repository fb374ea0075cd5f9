"""The lists of drafts, on the Write page and on pages of their own, and the deletion."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.compose.forms import DraftVersionForm
from notifications.compose.services import drafts, handover
from notifications.models import Notification
from notifications.ui.pages import page, require_permission

PER_PAGE = 20


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """All drafts of the user, newest first."""
    user = require_permission(request, permissions.SEND)
    rows = own_drafts(user, page_number=request.GET.get("page"))
    return _list(request, _("Your drafts"), rows, drafts=with_givers(rows))


@require_safe
def ownerless(request: HttpRequest) -> HttpResponse:
    """The drafts of people who can no longer send, for superusers."""
    user = require_permission(request, permissions.SEND)
    if not user.is_superuser:
        raise PermissionDenied
    rows = ownerless_drafts(page_number=request.GET.get("page"))
    title = _("Drafts of people who can no longer send")
    return _list(request, title, rows, ownerless_drafts=rows)


def _list(
    request: HttpRequest, title: str, rows: Page[Notification], **context: Any
) -> HttpResponse:
    template = "notifications/compose/drafts.html"
    return page(request, template, title, rows=rows, **context)


def own_drafts(
    user: User, *, except_for: int | None = None, page_number: str | None = None
) -> Page[Notification]:
    """Without the long lists of groups."""
    rows = Notification.objects.drafts_of(user.pk).exclude(pk=except_for or 0)
    columns = rows.only("content", "created_at", "version").order_by("-id")
    return Paginator(columns, PER_PAGE).get_page(page_number)


def with_givers(rows: Page[Notification]) -> list[tuple[Notification, str]]:
    """Each draft with the username of the person who handed it over, or an empty text."""
    by = handover.handed_over_by(rows.object_list)
    return [(draft, by.get(draft.pk, "")) for draft in rows]


def ownerless_drafts(page_number: str | None = None) -> Page[Notification]:
    """Drafts that only a superuser can give to a person who may send."""
    rows = handover.ownerless_drafts().select_related("sender")
    columns = rows.only("sender__username", "created_at").order_by("-id")
    return Paginator(columns, PER_PAGE).get_page(page_number)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft of the user."""
    user = require_permission(request, permissions.SEND)
    form = DraftVersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else 0
    try:
        drafts.delete_draft(user, pk, version=version)
    except Notification.DoesNotExist:
        raise Http404 from None
    except drafts.DraftChanged as error:
        messages.warning(request, f"{error.messages[0]} {_('It was not thrown away.')}")
        return redirect("admin:write_edit", pk)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("admin:write")
    messages.success(request, _("The draft is gone. Nothing was sent."))
    return redirect("admin:write")
