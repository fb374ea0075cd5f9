"""The buttons over a notification that was sent, and the switch for all sending."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import roles
from notifications.forms.check import ScheduleForm
from notifications.models import AuditEntry, Delivery, Notification, WrongState
from notifications.selectors.resend import Again, sendable_again
from notifications.services import controls, resend, switch
from notifications.services.permissions import require_own

from .page import page, person

LATEST_TURNS = 10


def _act(
    request: HttpRequest, pk: int, act: Callable[[User], Notification]
) -> HttpResponse:
    """Do it, then show where the notification stands now."""
    user = person(request, roles.SEND)
    notification = get_object_or_404(Notification, pk=pk)
    try:
        notification = act(user)
    except WrongState:
        messages.warning(
            request, _("That was not possible any more: the state had changed.")
        )
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    return redirect(notification)


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    note = request.POST.get("note", "")
    return _act(request, pk, lambda user: controls.pause(user, pk, note=note))


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda user: controls.resume(user, pk))


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda user: controls.stop(user, pk))


def reschedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Another time for what is scheduled."""
    user = person(request, roles.SEND)
    notification = get_object_or_404(Notification, pk=pk)
    require_own(user, notification)
    if notification.status != Notification.Status.SCHEDULED:
        return redirect(notification)
    form = ScheduleForm(
        request.POST if request.method == "POST" else None,
        initial={
            "start": notification.scheduled_for,
            "not_after": notification.not_after,
        },
    )
    if request.method == "POST" and form.is_valid():
        times = form.cleaned_data
        return _act(
            request,
            pk,
            lambda user: controls.reschedule(
                user, pk, start=times["start"], not_after=times["not_after"]
            ),
        )
    return page(
        request,
        "notifications/reschedule.html",
        _("Change the schedule"),
        n=notification,
        form=form,
    )


@require_POST
def try_failed_again(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda user: resend.send_again(user, pk, Again.FAILED))


def send_unconfirmed_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A page of its own: members could see it twice, so a person says yes to that."""
    user = person(request, roles.SEND)
    notification = get_object_or_404(Notification, pk=pk)
    require_own(user, notification)
    if request.method == "POST":
        return _act(
            request, pk, lambda user: resend.send_again(user, pk, Again.UNCONFIRMED)
        )
    rows = sendable_again(notification, Again.UNCONFIRMED)
    names = list(rows.order_by("group_name").values_list("group_name", flat=True))
    names = list(dict.fromkeys(names))
    if not names or not notification.has_ended:
        return redirect(notification)
    return page(
        request,
        "notifications/again.html",
        _("Send again to groups that did not confirm"),
        n=notification,
        names=names,
    )


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what became of a delivery that is not confirmed."""
    user = person(request, roles.SEND)
    delivery = get_object_or_404(Delivery.objects.history(), pk=pk)
    try:
        resend.resolve(user, pk, note=request.POST.get("note", ""))
    except ValidationError as error:
        for sentence in error.messages:
            messages.error(request, sentence)
    else:
        messages.success(request, _("Written down beside the delivery."))
    return redirect("admin:delivery", delivery.pk)


def all_sending(request: HttpRequest) -> HttpResponse:
    """The switch for all sending, and who turned it lately."""
    user = person(request, roles.SEND)
    if request.method == "POST":
        wants_off = request.POST.get("turn") == "off"
        (switch.stop_everything if wants_off else switch.allow_everything)(user)
        return redirect("admin:all_sending")
    turned = [AuditEntry.Action.ALL_STOPPED, AuditEntry.Action.ALL_ALLOWED]
    return page(
        request,
        "notifications/all_sending.html",
        _("Stop all sending"),
        turns=AuditEntry.objects.filter(action__in=turned)[:LATEST_TURNS],
    )
