"""The page that sends failed or unconfirmed deliveries again."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import permissions
from notifications.compose.send_form import ResendForm
from notifications.compose.services import resend as services_resend
from notifications.compose.services.sender_check import sender_problem
from notifications.delivery.resendable import ResendKind
from notifications.models import GroupType, Notification, WrongState
from notifications.permissions import require_control
from notifications.ui.pages import page, require_permission

MAX_NAMED = 500


def send_again(request: HttpRequest, pk: int, kind_name: str) -> HttpResponse:
    """Show what would be sent again; a POST sends exactly that."""
    user = require_permission(request, permissions.SEND)
    try:
        kind = ResendKind(kind_name)
    except ValueError:
        raise Http404 from None
    first = get_object_or_404(Notification.objects.sent(), pk=pk)
    require_control(user, first)
    if not first.has_ended:
        return redirect(first)
    end = first.not_after
    form = ResendForm(
        request.POST if request.method == "POST" else None,
        initial={"not_after": end if end and end > timezone.now() else None},
    )
    if request.method == "POST" and form.is_valid():
        if problem := sender_problem(user, first):
            messages.error(request, problem)
            return redirect(request.path)
        try:
            return redirect(
                services_resend.send_again(user, pk, kind, **form.cleaned_data)
            )
        except WrongState:
            messages.error(
                request, _("Calls are still in progress. Wait for their end.")
            )
            return redirect(first)
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
            return redirect(request.path)
    shown = services_resend.preview(first, kind)
    if not shown.groups:
        return redirect(first)
    titles = {
        ResendKind.FAILED: _("Try failed groups again"),
        ResendKind.UNCONFIRMED: _("Send again to groups that did not confirm"),
    }
    return page(
        request,
        "notifications/compose/resend.html",
        titles[kind],
        notification=first,
        kind=kind,
        shown=shown,
        groups=[
            (name, GroupType(group_type).label)
            for name, group_type in shown.groups[:MAX_NAMED]
        ],
        more=max(0, len(shown.groups) - MAX_NAMED),
        form=form,
    )
