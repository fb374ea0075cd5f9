"""Views that send failed or unconfirmed deliveries again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import permissions
from notifications.compose.services import resend as services_resend
from notifications.delivery.resendable import ResendKind, resendable_deliveries
from notifications.delivery.views import apply_control
from notifications.models import Notification
from notifications.permissions import require_control
from notifications.ui.pages import page, require_permission


@require_POST
def try_failed_again(request: HttpRequest, pk: int) -> HttpResponse:
    return apply_control(
        request,
        pk,
        lambda user: services_resend.send_again(user, pk, ResendKind.FAILED),
    )


def send_unconfirmed_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A page with a confirmation, because members could see the message twice."""
    user = require_permission(request, permissions.SEND)
    notification = get_object_or_404(Notification, pk=pk)
    require_control(user, notification)
    if request.method == "POST":
        return apply_control(
            request,
            pk,
            lambda user: services_resend.send_again(user, pk, ResendKind.UNCONFIRMED),
        )
    rows = resendable_deliveries(notification, ResendKind.UNCONFIRMED)
    group_names = rows.order_by("group_name").values_list("group_name", flat=True)
    names = list(dict.fromkeys(group_names))
    if not names or not notification.has_ended:
        return redirect(notification)
    return page(
        request,
        "notifications/compose/resend.html",
        _("Send again to groups that did not confirm"),
        notification=notification,
        names=names,
    )
