"""The page on which a draft is handed over to a colleague."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from notifications import permissions
from notifications.compose.forms import HandOverForm
from notifications.compose.services import handover
from notifications.compose.services.drafts import DraftChanged
from notifications.models import Notification
from notifications.ui.pages import page, require_permission


def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a draft to a colleague; a second click on the button changes nothing."""
    user = require_permission(request, permissions.SEND)
    try:
        return _hand_over(request, user, pk)
    except PermissionDenied:
        receiver = handover.receiver_of(user, pk)
        if request.method != "POST" or receiver is None:
            raise
        return _done(request, receiver)


def _hand_over(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    """Superusers do not see the text of other people."""
    draft = get_object_or_404(Notification, pk=pk)
    if draft.status != Notification.Status.DRAFT:
        return redirect(draft)
    handover.require_hand_over(user, draft)
    form = HandOverForm(
        request.POST if request.method == "POST" else None,
        receivers=handover.receivers_of(draft),
        initial={"version": draft.version},
    )
    if form.is_valid():
        receiver = form.cleaned_data["to"]
        try:
            handover.hand_over(
                user, pk, to=receiver, version=form.cleaned_data["version"]
            )
        except Notification.DoesNotExist:
            raise Http404 from None
        except DraftChanged as error:
            messages.warning(request, error.messages[0])
            return redirect("admin:draft_hand_over", pk)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _done(request, receiver.get_username())
    return page(
        request,
        "notifications/compose/hand_over.html",
        _("Hand a draft over"),
        draft=draft,
        form=form,
        is_own=draft.sender_id == user.pk,
    )


def _done(request: HttpRequest, receiver: str) -> HttpResponse:
    messages.success(
        request, _("The draft is handed over to %(person)s.") % {"person": receiver}
    )
    return redirect("admin:write")
