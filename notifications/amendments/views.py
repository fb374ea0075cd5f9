"""The pages that take a notification back, or correct its text."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from notifications import permissions
from notifications.amendments import services
from notifications.amendments.checks import (
    check_correction,
    check_part,
    check_shown,
    refuse_nothing_left,
    why_never,
    why_not_now,
)
from notifications.amendments.forms import AmendmentForm, CorrectionForm, RecallForm
from notifications.amendments.messages import (
    LeftOut,
    Part,
    Preview,
    left_out_groups,
    present_texts,
    preview,
)
from notifications.amendments.presentation import LABELS, left_out_counts, nothing_left
from notifications.delivery.capabilities import why_no_recall
from notifications.models import Channel, Notification
from notifications.ui.made_from import SHOWN, ChangedSinceShown
from notifications.ui.pages import page, require_permission

MAX_NAMED = 100


def recall(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what would be taken back; a POST takes it back, unless it only asks to show."""
    user = require_permission(request, permissions.SEND)
    original = get_object_or_404(Notification.objects.sent(), pk=pk)
    if sentence := why_never(original):
        messages.error(request, sentence)
        return redirect(original)
    form = RecallForm(original, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if "show" in request.POST:
            for name, sentence in check_part(original, form.part).items():
                form.add_error(name, sentence)
        else:
            try:
                started = services.recall(
                    user,
                    pk,
                    reason=form.cleaned_data["reason"],
                    part=form.part,
                    order=form.order,
                )
            except ValidationError as error:
                form.add_error(None, error)  # by field, if the error is
            else:
                return _after_recall(request, original, form.part, started)
            original.refresh_from_db()
    counts = preview(original, Channel.RECALL, form.part)
    return page(
        request,
        "notifications/amendments/recall.html",
        _("Take back notification %(number)d") % {"number": pk},
        form=form,
        is_open=not original.has_ended,
        refused=why_no_recall(),
        correction=original.amendments.filter(channel=Channel.CORRECTION).last(),
        nothing_left=nothing_left(original, counts),
        resends=original.resends.order_by("pk"),
        **_numbers(original, Channel.RECALL, form, counts),
    )


def _after_recall(
    request: HttpRequest, original: Notification, part: Part, started: services.Started
) -> HttpResponse:
    if started.run is not None:
        return redirect(started.run)
    counts = preview(original, Channel.RECALL, part)
    if counts.left_out.keys() <= {LeftOut.NOT_SENT}:
        messages.success(request, _("Stopped before any group got it."))
    else:
        messages.warning(request, nothing_left(original, counts))
    return redirect(original)


def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the new text, then check it; a form with ``shown`` confirms the second step."""
    user = require_permission(request, permissions.SEND)
    original = get_object_or_404(Notification.objects.sent(), pk=pk)
    if sentence := why_never(original):
        messages.error(request, sentence)
        return redirect(original)
    if request.method != "POST":
        texts = present_texts(original)
        text = texts[0][0] if texts else ""
        form = CorrectionForm(original, initial={"content": text or original.content})
        return _write(request, original, form)
    form = CorrectionForm(original, request.POST)
    if "back" in request.POST or not form.is_valid():
        return _write(request, original, form)
    try:
        if SHOWN not in request.POST:
            return _check(request, original, form)
        try:
            run = services.correct(
                user,
                pk,
                content=form.cleaned_data["content"],
                note=form.cleaned_data["note"],
                part=form.part,
                order=form.order,
                shown=request.POST[SHOWN],
            )
        except ChangedSinceShown as error:
            messages.warning(request, error.messages[0])
            return _check(request, original, form)
        return redirect(run)
    except ValidationError as error:
        form.add_error(None, error)  # by field, if the error is
        return _write(request, original, form)


def _write(
    request: HttpRequest, original: Notification, form: CorrectionForm
) -> HttpResponse:
    return page(
        request,
        "notifications/amendments/correct.html",
        _("Correct the text of notification %(number)d") % {"number": original.pk},
        notification=original,
        form=form,
        texts=present_texts(original),
        why_not_now=why_not_now(original),
    )


def _check(
    request: HttpRequest, original: Notification, form: CorrectionForm
) -> HttpResponse:
    """Raises ``ValidationError`` for what has to be corrected in the form first."""
    part = form.part
    content, note = check_correction(
        original, form.cleaned_data["content"], form.cleaned_data["note"], part
    )
    # First of all that the page shows, so that the service notices what changes meanwhile.
    shown = check_shown(original, part, content, note)
    counts = preview(original, Channel.CORRECTION, part, content)
    if not counts.groups:
        refuse_nothing_left(original, counts)
    return page(
        request,
        "notifications/amendments/correct_check.html",
        _("Check the correction"),
        form=form,
        texts=present_texts(original, part, content),
        content=content,
        note=note,
        shown=shown,
        why_not_now=why_not_now(original),
        **_numbers(original, Channel.CORRECTION, form, counts, content),
    )


def _numbers(
    original: Notification,
    channel: str,
    form: AmendmentForm,
    counts: Preview,
    text: str = "",
) -> dict[str, Any]:
    """The context for what is changed, and what is left out."""
    named = left_out_groups(original, channel, form.part, text, MAX_NAMED)
    nameable = counts.left_out_count - counts.left_out.get(LeftOut.NOT_SENT, 0)
    return {
        "notification": original,
        "counts": counts,
        "left_out": left_out_counts(counts),
        "groups": [(name, LABELS[reason]) for name, reason in named],
        "more": max(0, nameable - len(named)),
    }
