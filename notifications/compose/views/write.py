"""The Write page, the first of three steps: saves a draft."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect

from notifications import permissions
from notifications.audiences.audience import build_audience
from notifications.audiences.picker import duplicates_message, picker_context
from notifications.compose.checked import checked_of
from notifications.compose.differences import ChangedValue, differences
from notifications.compose.forms import (
    SAVED,
    WriteForm,
    initial_of,
)
from notifications.compose.services import drafts
from notifications.compose.views import draft_lists, member_check
from notifications.groups.filters import SELECTED_GROUPS_KEY
from notifications.groups.forms import GroupIds
from notifications.models import LoginSession, Notification
from notifications.models.access import FORMER_SESSION
from notifications.permissions import NotOwnDraft, require_own_draft
from notifications.ui.pages import page, require_permission

FORBIDDEN = 403


@csrf_protect
def write(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The form; not protected by ``admin_view``, whose login would lose a posted text."""
    if not request.user.is_authenticated:
        return _log_in_first(request)
    user = require_permission(request, permissions.SEND)
    draft = _stored_draft(request, pk)
    try:
        if draft is not None:
            _require_editable(user, draft)
        return _write(request, user, draft, pk)
    except _SentMeanwhile as refusal:
        if request.method != "POST":
            return redirect(refusal.sent)
        return _refuse(request, user, str(refusal), sent=refusal.sent)
    except NotOwnDraft as refusal:
        if request.method != "POST":
            raise
        return _refuse(request, user, str(refusal))


class _SentMeanwhile(Exception):
    def __init__(self, sent: Notification) -> None:
        super().__init__(_("This has been sent already."))
        self.sent = sent


def _require_editable(user: User, draft: Notification) -> None:
    if draft.status != Notification.Status.DRAFT:
        raise _SentMeanwhile(draft)
    require_own_draft(user, draft)


def _write(
    request: HttpRequest, user: User, draft: Notification | None, pk: int | None
) -> HttpResponse:
    form = _form(request, user, draft)
    checks_members = member_check.is_requested(request)
    changed = []
    entered = form.draft if form.is_valid() and not checks_members else None
    if entered is not None:
        try:
            saved = _save(user, entered, draft)
        except drafts.DraftChanged as conflict:
            changed = _differences(user, conflict)
            # Submitted again, the form replaces the version that the page shows.
            posted = request.POST.copy()
            posted["version"] = str(conflict.stored.version)
            form, draft = WriteForm(posted), conflict.stored
        else:
            _require_editable(user, saved)
            if pk not in (None, saved.pk):
                messages.warning(
                    request,
                    _("The draft had been thrown away meanwhile. This is a new one."),
                )
            if entered.duplicates:
                messages.info(request, duplicates_message(entered.duplicates))
            return redirect("admin:check", saved.pk)
    return _page(
        request,
        user,
        form,
        _("New notification") if pk is None else _("Edit the draft"),
        edited=pk,
        stored=draft,
        differences=changed,
        members_checked=member_check.result(request, user) if checks_members else [],
    )


def _refuse(
    request: HttpRequest, user: User, refusal: str, *, sent: Notification | None = None
) -> HttpResponse:
    """Show what was entered as a new draft; nothing is saved."""
    entered = member_check.entered_values(request, WriteForm)
    for name in ("token", "version"):
        del entered[name]
    response = _page(
        request,
        user,
        WriteForm(initial=entered),
        _("New notification"),
        refusal=refusal,
        sent=sent,
    )
    response.status_code = FORBIDDEN
    return response


def _page(
    request: HttpRequest,
    user: User,
    form: WriteForm,
    title: str,
    *,
    edited: int | None = None,
    **context: Any,
) -> HttpResponse:
    form.show_counts()
    own = draft_lists.own_drafts(user, except_for=edited)
    return page(
        request,
        "notifications/compose/write.html",
        title,
        form=form,
        step=1,
        channels=form.shown_channels(),
        administrator=settings.IM_ADMIN_ACCOUNT,
        picked={
            name: _picked(form[name].value())
            for name, field in form.fields.items()
            if isinstance(field, GroupIds)
        },
        own_rows=own,
        drafts=draft_lists.with_givers(own),
        ownerless_drafts=draft_lists.ownerless_drafts() if user.is_superuser else [],
        **context,
    )


def _stored_draft(request: HttpRequest, pk: int | None) -> Notification | None:
    """``None`` for a new draft, and for one that was deleted while it was edited."""
    if pk is None:
        return None
    if request.method == "POST":
        return Notification.objects.filter(pk=pk).first()
    return get_object_or_404(Notification, pk=pk)


def _save(
    user: User, entered: drafts.Draft, stored: Notification | None
) -> Notification:
    if stored is not None:
        try:
            return drafts.save_draft(user, entered, notification_id=stored.pk)
        except Notification.DoesNotExist:  # deleted meanwhile: the text is not lost
            pass
    return drafts.save_draft(user, entered)


def _differences(user: User, conflict: drafts.DraftChanged) -> list[ChangedValue]:
    if conflict.entered is None:
        return []
    stored = checked_of(user, conflict.stored).shown()
    return differences(stored, checked_of(user, conflict.entered).shown())


def _picked(ids: str) -> list[dict[str, str]]:
    """The chosen groups for picker.js; ``ids`` one per line."""
    chosen = ids.split("\n") if ids else []
    return picker_context(build_audience(Notification.Audience.CHOSEN, chosen))


def _form(request: HttpRequest, user: User, draft: Notification | None) -> WriteForm:
    if member_check.is_requested(request):
        return WriteForm(initial=member_check.entered_values(request, WriteForm))
    if request.method == "POST":
        return WriteForm(request.POST)
    if values := _kept_values(request, user):
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


def _kept_values(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """The values of ``_log_in_first``, once, and only for the person who entered them."""
    if FORMER_SESSION not in request.session:
        return None
    former = LoginSession.objects.filter(pk=request.session.pop(FORMER_SESSION))
    row = former.exclude(kept_values=None).first()
    former.update(kept_values=None)
    return row.kept_values if row is not None and row.user_id == user.pk else None


def _log_in_first(request: HttpRequest) -> HttpResponse:
    """Keep the posted values in the expired session, for the next login of its person.

    Without a recent session, nothing is stored: the page shows the values.
    """
    if request.method != "POST":
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    values = member_check.entered_values(request, WriteForm)
    former = LoginSession.objects.filter(pk=request.session.get(FORMER_SESSION, ""))
    if former.update(kept_values=values):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    form = WriteForm()
    response = page(
        request,
        "notifications/compose/logged_out.html",
        _("You are logged out"),
        entered=[
            (form.fields[name].label, values[name])
            for name in ("content", "groups", "recipients", "note")
            if values[name]
        ],
        login_url=redirect_to_login(
            request.get_full_path(), reverse("admin:login")
        ).url,
    )
    response.status_code = FORBIDDEN
    return response
