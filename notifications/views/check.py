"""Check: the second step. Shows what Send will do, and does it on request."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import roles
from notifications.forms.check import SendForm
from notifications.models import Notification
from notifications.selectors.audiences import Audience, audience_of
from notifications.selectors.quota import quota_today
from notifications.selectors.warnings import long_unchecked, same_text
from notifications.services import sending
from notifications.services.permissions import require_own
from notifications.services.writing import check_type_rule, check_usable

from .page import page, person

LISTED_AT_ONCE = 8
LISTED_AT_MOST = 500
CONFIRM_ABOVE = 50


def check(request: HttpRequest, pk: int) -> HttpResponse:
    user = person(request, roles.SEND)
    draft = get_object_or_404(Notification, pk=pk)
    require_own(user, draft)
    if draft.status != Notification.Status.DRAFT:
        return redirect(draft)
    meant = audience_of(draft)
    problems = _problems(draft, meant)
    form = _send_form(request, draft, meant)
    if request.method == "POST" and form.is_valid():
        try:
            sent = sending.send(
                user, pk, digest=form.cleaned_data["digest"], when=form.when
            )
        except ValidationError as error:
            for sentence in error.messages:
                messages.error(request, sentence)
            # What was chosen stays, above all a later start; the groups as they are
            # now have to be confirmed anew.
            form = _send_form(request, draft, meant, again=True)
        else:
            return redirect(sent)
    count = len(meant.groups)
    calls = len(sending.portions(draft.recipient_ids))
    named = draft.recipient_ids or []
    return page(
        request,
        "notifications/check.html",
        _("Check and send"),
        draft=draft,
        people=meant.member_count,
        problems=problems,
        warnings=[] if problems else _warnings(draft, meant, calls * count),
        form=form,
        step=2,
        count=count,
        first=meant.groups[:LISTED_AT_ONCE],
        rest=meant.groups[LISTED_AT_ONCE:LISTED_AT_MOST],
        more=max(0, count - LISTED_AT_ONCE),
        unlisted=max(0, count - LISTED_AT_MOST),
        named=len(named),
        named_first=named[:LISTED_AT_ONCE],
        named_rest=named[LISTED_AT_ONCE:],
        calls=calls,
        button=ngettext("Send to %(n)d group", "Send to %(n)d groups", count)
        % {"n": count},
    )


def _problems(draft: Notification, meant: Audience) -> list[str]:
    """What changed since the draft was written, so that it cannot be sent."""
    try:
        check_usable(draft.audience, meant)
        check_type_rule(meant, draft.recipient_ids)
    except ValidationError as error:
        return error.messages
    return []


def _warnings(draft: Notification, meant: Audience, calls: int) -> list[str]:
    """What to think about before sending; it can be sent all the same."""
    now = timezone.now()
    warnings = []
    quota = quota_today(now)
    if quota is not None and calls > quota.left:
        warnings.append(
            _(
                "This takes %(calls)d calls, but %(left)d of the %(limit)d that your "
                "account may make a day are left today. The rest would be refused."
            )
            % {"calls": calls, "left": quota.left, "limit": quota.limit}
        )
    if count := long_unchecked(meant.groups, now):
        warnings.append(
            ngettext(
                "%(n)d group was last checked more than a week ago. A group that has "
                "been closed will fail; the others are not affected.",
                "%(n)d groups were last checked more than a week ago. A group that has "
                "been closed will fail; the others are not affected.",
                count,
            )
            % {"n": count}
        )
    if same := same_text(draft.content, meant.groups, now):
        # Not "0 minutes ago": a minute is near enough.
        at = min(same.at, now - timedelta(minutes=1))
        warnings.append(
            ngettext(
                "The same text went to %(n)d of these groups %(time)s ago.",
                "The same text went to %(n)d of these groups %(time)s ago.",
                same.groups,
            )
            % {"n": same.groups, "time": timesince(at, now, depth=1)}
        )
    return warnings


def _send_form(
    request: HttpRequest, draft: Notification, meant: Audience, *, again: bool = False
) -> SendForm:
    count = len(meant.groups)
    posted = request.POST.copy()
    if again:
        posted["digest"] = meant.digest
        posted.pop("sure", None)
    return SendForm(
        posted if request.method == "POST" else None,
        initial={"digest": meant.digest},
        count=count,
        must_confirm=(
            count > CONFIRM_ABOVE or draft.audience == Notification.Audience.EVERY
        ),
    )
