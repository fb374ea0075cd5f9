"""Check: the second step. Shows what Send will do, and does it on request."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import permissions
from notifications.audiences.audience import Audience, audience_of
from notifications.audiences.exclusions import (
    ExclusionReason,
    count_labels,
    reason_label,
)
from notifications.audiences.validation import check_audience
from notifications.compose.recipients import portions
from notifications.compose.send_form import SendForm
from notifications.compose.services import send as services_send
from notifications.compose.warnings import quota_today, same_text
from notifications.groups.queries import groups_by_id
from notifications.models import ChatGroup, Notification, Rule
from notifications.permissions import require_own
from notifications.ui.pages import page, require_permission
from notifications.ui.text import NAMED, join_first

LISTED_AT_ONCE = 8

LISTED_AT_MOST = 500

CONFIRM_ABOVE = 50


def check(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_permission(request, permissions.SEND)
    draft = get_object_or_404(Notification, pk=pk)
    require_own(user, draft)
    if draft.status != Notification.Status.DRAFT:
        return redirect(draft)
    audience = audience_of(draft)
    problems = _problems(audience)
    form = _send_form(request, draft, audience)
    if request.method == "POST" and form.is_valid():
        try:
            sent = services_send.send(
                user, pk, digest=form.cleaned_data["digest"], when=form.when
            )
        except ValidationError as error:
            for sentence in error.messages:
                messages.error(request, sentence)
            # What was chosen stays, above all a later start; the groups as they are
            # now have to be confirmed anew.
            form = _send_form(request, draft, audience, again=True)
        else:
            return redirect(sent)
    count = audience.count
    calls = len(portions(draft.recipient_ids))
    listed = audience.first(LISTED_AT_MOST)
    named = draft.recipient_ids or []
    return page(
        request,
        "notifications/compose/check.html",
        _("Check and send"),
        draft=draft,
        people=audience.included.people,
        uncounted=audience.included.uncounted,
        problems=problems,
        warnings=[] if problems else _warnings(draft, audience, calls * count),
        form=form,
        step=2,
        count=count,
        conditions=_conditions(audience.rule) if audience.rule else [],
        audience_name=audience.name,
        first=_lines(listed[:LISTED_AT_ONCE]),
        rest=_lines(listed[LISTED_AT_ONCE:]),
        more=max(0, count - LISTED_AT_ONCE),
        unlisted=max(0, count - LISTED_AT_MOST),
        left_out=_left_out(audience),
        named=len(named),
        named_first=named[:LISTED_AT_ONCE],
        named_rest=named[LISTED_AT_ONCE:],
        calls=calls,
        button=ngettext("Send to %(n)d group", "Send to %(n)d groups", count)
        % {"n": count},
    )


def _conditions(rule: Rule) -> list[tuple[str, str]]:
    """The rule in words, with the names of its exceptions."""
    told = replace(rule, exceptions=()).conditions()
    if rule.exceptions:
        first = groups_by_id(rule.exceptions[:NAMED])
        names = [first[i].name if i in first else i for i in rule.exceptions[:NAMED]]
        told.append((_("Except"), join_first(names, len(rule.exceptions))))
    return told


def _lines(groups: Sequence[ChatGroup]) -> list[tuple[str, str]]:
    """Name, and type with the number of members where it is known."""
    return [(group.name, " · ".join(_facts(group))) for group in groups]


def _facts(group: ChatGroup) -> Iterator[str]:
    yield str(group.get_type_display())
    if group.member_count:
        members = ngettext("%(n)s member", "%(n)s members", group.member_count)
        yield members % {"n": f"{group.member_count:,}"}


def _left_out(audience: Audience) -> dict[str, Any] | None:
    """Who does not get it, and why. Chosen groups are refused by name instead."""
    count = sum(audience.excluded.values())
    if not count or audience.kind == Notification.Audience.CHOSEN:
        return None
    named = audience.excluded_groups()[:LISTED_AT_MOST]
    return {
        "count": count,
        "reasons": count_labels(audience.excluded),
        "named": [(group.name, reason_label(group.reason)) for group in named],
        "unlisted": max(0, count - LISTED_AT_MOST),
    }


def _problems(audience: Audience) -> list[str]:
    """What changed since the draft was written, so that it cannot be sent."""
    try:
        check_audience(audience)
    except ValidationError as error:
        return error.messages
    return []


def _warnings(draft: Notification, audience: Audience, calls: int) -> list[str]:
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
    if count := audience.excluded.get(ExclusionReason.RECIPIENTS, 0):
        warnings.append(
            ngettext(
                "%(n)s group is left out: it can only be sent to everyone.",
                "%(n)s groups are left out: they can only be sent to everyone.",
                count,
            )
            % {"n": f"{count:,}"}
        )
    if count := audience.included.unchecked:
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
    if same := same_text(draft.content, audience, now):
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
    request: HttpRequest,
    draft: Notification,
    audience: Audience,
    *,
    again: bool = False,
) -> SendForm:
    count = audience.count
    posted = request.POST.copy()
    if again:
        posted["digest"] = audience.digest
        posted.pop("sure", None)
    return SendForm(
        posted if request.method == "POST" else None,
        initial={"digest": audience.digest},
        count=count,
        must_confirm=(
            count > CONFIRM_ABOVE or draft.audience == Notification.Audience.EVERY
        ),
    )
