"""Pages and buttons that send again what failed or was not confirmed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import permissions
from notifications.compose.services import resend as services_resend
from notifications.delivery.resendable import Again, sendable_again
from notifications.delivery.views import act_on
from notifications.models import Notification
from notifications.permissions import require_own
from notifications.ui.pages import page, person


@require_POST
def try_failed_again(request: HttpRequest, pk: int) -> HttpResponse:
    return act_on(
        request, pk, lambda user: services_resend.send_again(user, pk, Again.FAILED)
    )


def send_unconfirmed_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A page of its own: members could see it twice, so a person says yes to that."""
    user = person(request, permissions.SEND)
    notification = get_object_or_404(Notification, pk=pk)
    require_own(user, notification)
    if request.method == "POST":
        return act_on(
            request,
            pk,
            lambda user: services_resend.send_again(user, pk, Again.UNCONFIRMED),
        )
    rows = sendable_again(notification, Again.UNCONFIRMED)
    names = list(rows.order_by("group_name").values_list("group_name", flat=True))
    names = list(dict.fromkeys(names))
    if not names or not notification.has_ended:
        return redirect(notification)
    return page(
        request,
        "notifications/compose/again.html",
        _("Send again to groups that did not confirm"),
        n=notification,
        names=names,
    )
