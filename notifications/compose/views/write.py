"""The Write page, the first of three steps: saves a draft."""

import json

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from notifications import permissions
from notifications.audiences.audience import build_audience
from notifications.audiences.picker import duplicates_message, picker_context
from notifications.compose.forms import SAVED, WriteForm, initial_of
from notifications.compose.services import drafts
from notifications.compose.views import member_check
from notifications.groups.filters import SELECTED_GROUPS_KEY
from notifications.groups.forms import GroupIds
from notifications.models import Notification
from notifications.permissions import require_own
from notifications.ui.pages import page, require_permission

# Session key of the form values that were posted after a logout.
POSTED_VALUES = "write_kept"

MAX_POSTED_LENGTH = 200_000

MAX_DRAFTS = 20


@csrf_protect
def write(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The form; not protected by ``admin_view``, whose login would lose a posted text."""
    if not request.user.is_authenticated:
        return _log_in_first(request)
    user = require_permission(request, permissions.SEND)
    draft = get_object_or_404(Notification, pk=pk) if pk is not None else None
    if draft is not None:
        require_own(user, draft)
        if draft.status != Notification.Status.DRAFT:
            return redirect(draft)
    form = _form(request, draft)
    checks_members = member_check.is_requested(request)
    if form.is_valid() and form.draft is not None and not checks_members:
        saved = drafts.save_draft(user, form.draft, notification_id=pk)
        if saved.status != Notification.Status.DRAFT:
            return redirect(saved)
        if form.draft.duplicates:
            messages.info(request, duplicates_message(form.draft.duplicates))
        return redirect("admin:check", saved.pk)
    form.show_counts()
    return page(
        request,
        "notifications/compose/write.html",
        _("New notification") if pk is None else _("Edit the draft"),
        form=form,
        step=1,
        picked={
            name: _picked(form[name].value())
            for name, field in form.fields.items()
            if isinstance(field, GroupIds)
        },
        drafts=_drafts(user, pk),
        members_checked=member_check.result(request, user) if checks_members else [],
    )


def _picked(ids: str) -> list[dict[str, str]]:
    """The chosen groups for picker.js; ``ids`` one per line."""
    chosen = ids.split("\n") if ids else []
    return picker_context(build_audience(Notification.Audience.CHOSEN, chosen))


def _drafts(user: User, edited: int | None) -> list[Notification]:
    """The newest other drafts of the user, without their long lists of groups."""
    own = Notification.objects.drafts_of(user.pk).exclude(pk=edited or 0)
    return list(own.only("content", "created_at").order_by("-id")[:MAX_DRAFTS])


def _form(request: HttpRequest, draft: Notification | None) -> WriteForm:
    if member_check.is_requested(request):
        return WriteForm(initial=member_check.entered_values(request, WriteForm))
    if request.method == "POST":
        return WriteForm(request.POST)
    if values := request.session.pop(POSTED_VALUES, None):
        messages.info(
            request, _("You were logged out while writing. Your text is here again.")
        )
        return WriteForm(initial=values)
    if draft is not None:
        return WriteForm(initial=initial_of(draft))
    if chosen := request.session.pop(SELECTED_GROUPS_KEY, []):
        return WriteForm(initial={"groups": chosen})
    if name := request.GET.get("audience"):
        return WriteForm(initial={"audience": SAVED, "saved": name})
    return WriteForm()


def _log_in_first(request: HttpRequest) -> HttpResponse:
    """Save the posted values in the session, so that a logout does not lose the text."""
    if request.method == "POST":
        values = member_check.entered_values(request, WriteForm)
        if len(json.dumps(values)) <= MAX_POSTED_LENGTH:
            request.session[POSTED_VALUES] = values
    return redirect_to_login(request.get_full_path(), reverse("admin:login"))


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft of the user."""
    user = require_permission(request, permissions.SEND)
    get_object_or_404(Notification, pk=pk, status=Notification.Status.DRAFT)
    drafts.delete_draft(user, pk)
    messages.success(request, _("The draft is gone. Nothing was sent."))
    return redirect("admin:write")
