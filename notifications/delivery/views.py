"""Controls of a sent notification, and the switch for all sending."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import permissions
from notifications.delivery import controls as delivery_controls
from notifications.delivery.audit_events import ALL_ALLOWED, ALL_STOPPED
from notifications.delivery.forms import RescheduleForm
from notifications.delivery.reconcile.services import ask_now
from notifications.models import AuditEntry, Delivery, Notification, WrongState
from notifications.permissions import require, require_control
from notifications.ui.made_from import SHOWN, ChangedSinceShown
from notifications.ui.pages import page, require_permission, require_recent_proof

SHOWN_SWITCH_CHANGES = 10


def apply_control(
    request: HttpRequest, pk: int, control: Callable[[User], Notification]
) -> HttpResponse:
    """Call ``control``, then redirect to the notification."""
    user = require_permission(request, permissions.SEND)
    notification = get_object_or_404(Notification.objects.sent(), pk=pk)
    try:
        notification = control(user)
    except WrongState:
        messages.warning(
            request, _("That was not possible any more: the state had changed.")
        )
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
    return redirect(notification)


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    note = request.POST.get("note", "")
    return apply_control(
        request, pk, lambda user: delivery_controls.pause(user, pk, note=note)
    )


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    shown = request.POST.get(SHOWN, "")
    return apply_control(
        request, pk, lambda user: delivery_controls.resume(user, pk, shown=shown)
    )


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    return apply_control(request, pk, lambda user: delivery_controls.stop(user, pk))


@require_POST
def take_over(request: HttpRequest, pk: int) -> HttpResponse:
    return apply_control(
        request, pk, lambda user: delivery_controls.take_over(user, pk)
    )


def reschedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the time of a scheduled notification."""
    user = require_permission(request, permissions.SEND)
    rows = Notification.objects.sent()
    if request.method != "POST":
        return _reschedule(request, user, get_object_or_404(rows, pk=pk))
    with transaction.atomic():
        # The form is made under the lock of the row, which is taken after that of the user.
        require(user, permissions.SEND)
        notification = get_object_or_404(rows.select_for_update(), pk=pk)
        return _reschedule(request, user, notification)


def _reschedule(
    request: HttpRequest, user: User, notification: Notification
) -> HttpResponse:
    require_control(user, notification)
    if notification.status != Notification.Status.SCHEDULED:
        return redirect(notification)
    form = RescheduleForm(
        request.POST if request.method == "POST" else None,
        initial={
            "start": notification.scheduled_for,
            "not_after": notification.not_after,
        },
    )
    if request.method == "POST" and form.is_valid():
        times = form.cleaned_data
        return apply_control(
            request,
            notification.pk,
            lambda user: delivery_controls.reschedule(
                user,
                notification.pk,
                start=times["start"],
                not_after=times["not_after"],
            ),
        )
    return page(
        request,
        "notifications/delivery/reschedule.html",
        _("Change the schedule"),
        n=notification,
        form=form,
    )


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a note on a delivery that is not confirmed."""
    user = require_permission(request, permissions.SEND)
    delivery = get_object_or_404(Delivery.objects.history(), pk=pk)
    try:
        delivery_controls.resolve_delivery(user, pk, note=request.POST.get("note", ""))
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
    else:
        messages.success(request, _("Written down beside the delivery."))
    return redirect("admin:delivery", delivery.pk)


@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask Tencent now about the unconfirmed deliveries of a notification."""
    user = require_permission(request, permissions.SEND)
    notification = get_object_or_404(Notification.objects.sent(), pk=pk)
    _say_asked(request, ask_now(user, pk))
    return redirect(notification)


@require_POST
def ask_about_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_permission(request, permissions.SEND)
    delivery = get_object_or_404(Delivery.objects.history(), pk=pk)
    _say_asked(request, ask_now(user, delivery.notification_id, pk))
    return redirect("admin:delivery", pk)


def _say_asked(request: HttpRequest, count: int) -> None:
    if count:
        messages.success(request, _("Tencent is asked within a few seconds."))
    else:
        messages.warning(
            request,
            _("There is nothing to ask now: Tencent is asked already, or not at all."),
        )


def all_sending(request: HttpRequest) -> HttpResponse:
    """The switch for all sending, and its latest changes."""
    user = require_permission(request, permissions.SEND)
    if request.method == "POST":
        is_off = request.POST.get("turn") == "off"
        if not is_off:
            require_recent_proof(request)
        try:
            delivery_controls.set_sending_switch(
                user, is_off=is_off, shown=request.POST.get(SHOWN, "")
            )
        except ChangedSinceShown as error:
            messages.warning(request, error.messages[0])
        return redirect("admin:all_sending")
    labels = {event.word: event.label for event in (ALL_STOPPED, ALL_ALLOWED)}
    entries = AuditEntry.objects.filter(action__in=labels)[:SHOWN_SWITCH_CHANGES]
    return page(
        request,
        "notifications/delivery/all_sending.html",
        _("Stop all sending"),
        shown=delivery_controls.switch_shown(),
        changes=[(entry, labels[entry.action]) for entry in entries],
    )
