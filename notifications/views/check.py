"""Check: the second step. Shows what Send will do, and does it on request."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import roles
from notifications.models import Notification
from notifications.selectors.audiences import Audience, audience_of
from notifications.services import sending
from notifications.services.permissions import require_own
from notifications.services.writing import check_type_rule, clean_audience

from .page import page, person

LISTED_AT_ONCE = 8
LISTED_AT_MOST = 500
CONFIRM_ABOVE = 50


class SendForm(forms.Form):
    """``digest`` is the audience that the page showed."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    sure = forms.BooleanField()


def check(request: HttpRequest, pk: int) -> HttpResponse:
    user = person(request, roles.SEND)
    draft = get_object_or_404(Notification, pk=pk)
    require_own(user, draft)
    if draft.status != Notification.Status.DRAFT:
        return redirect(draft)
    meant = audience_of(draft)
    problems = _problems(draft)
    form = _send_form(request, draft, meant)
    if request.method == "POST" and form.is_valid():
        try:
            sent = sending.send(user, pk, digest=form.cleaned_data["digest"])
        except ValidationError as error:
            for sentence in error.messages:
                messages.error(request, sentence)
            return redirect("admin:check", pk)
        return redirect(sent)
    count = len(meant.groups)
    return page(
        request,
        "notifications/check.html",
        _("Check and send"),
        draft=draft,
        meant=meant,
        problems=problems,
        form=form,
        step=2,
        count=count,
        first=meant.groups[:LISTED_AT_ONCE],
        rest=meant.groups[LISTED_AT_ONCE:LISTED_AT_MOST],
        unlisted=max(0, count - LISTED_AT_MOST),
        calls=len(sending.portions(draft.recipient_ids)),
        button=ngettext("Send to %(n)d group", "Send to %(n)d groups", count)
        % {"n": count},
    )


def _problems(draft: Notification) -> list[str]:
    """What changed since the draft was written, so that it cannot be sent."""
    try:
        meant = clean_audience(draft.audience, draft.audience_values)
        check_type_rule(meant, draft.recipient_ids)
    except ValidationError as error:
        return error.messages
    return []


def _send_form(request: HttpRequest, draft: Notification, meant: Audience) -> SendForm:
    count = len(meant.groups)
    form = SendForm(
        request.POST if request.method == "POST" else None,
        initial={"digest": meant.digest},
    )
    if count > CONFIRM_ABOVE or draft.audience == Notification.Audience.EVERY:
        sure = form.fields["sure"]
        sure.label = ngettext(
            "I want to send this to %(n)d group",
            "I want to send this to %(n)d groups",
            count,
        ) % {"n": count}
        sure.error_messages["required"] = _(
            "Tick the box: this goes to %(n)d groups."
        ) % {"n": count}
    else:
        del form.fields["sure"]
    return form
