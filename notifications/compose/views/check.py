"""The Check page, the second of three steps: shows what is sent, and sends it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
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
from notifications.compose.checked import (
    MAX_LISTED,
    ChangedSinceCheck,
    Checked,
    checked_of,
    sign,
    unsign,
)
from notifications.compose.differences import differences
from notifications.compose.message_options import check_sendable
from notifications.compose.recipients import portions
from notifications.compose.send_form import SendForm
from notifications.compose.services import send as services_send
from notifications.compose.services.sender_check import sender_problem
from notifications.compose.warnings import quota_today, same_text
from notifications.delivery.channels import CHANNELS
from notifications.delivery.option_labels import option_lines
from notifications.groups.queries import groups_by_id
from notifications.models import ChatGroup, GroupType, Notification, Rule
from notifications.permissions import require_own_draft
from notifications.ui.pages import page, require_permission
from notifications.ui.text import NAMED, join_first

MAX_UNFOLDED = 8

T = TypeVar("T")

CONFIRM_ABOVE = 50


def check(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_permission(request, permissions.SEND)
    draft = get_object_or_404(Notification, pk=pk)
    if draft.status != Notification.Status.DRAFT:
        return redirect(draft)
    require_own_draft(user, draft)
    # First of all that the page shows, so that Send notices what changes meanwhile.
    checked = checked_of(user, draft)
    is_posted = request.method == "POST"
    # Before anything is locked: the worker asks Tencent.
    sender_is_unknown = sender_problem(user, draft)
    has_changed = is_posted and request.POST.get("digest") != checked.digest()
    form = _send_form(request, draft, checked, confirm_anew=has_changed)
    may_send = is_posted and not has_changed and not sender_is_unknown
    if may_send and form.is_valid():
        try:
            return redirect(
                services_send.send(user, pk, digest=checked.digest(), when=form.when)
            )
        except ChangedSinceCheck:
            has_changed = True
        except ValidationError as error:
            for sentence in error.messages:
                messages.error(request, sentence)
        draft = get_object_or_404(Notification, pk=pk, status=draft.status)
        checked = checked_of(user, draft)
        # Keeps the chosen times; the send has to be confirmed again.
        form = _send_form(request, draft, checked, confirm_anew=True)
    before = unsign(request.POST.get("shown", "")) if has_changed else None
    audience = audience_of(draft)
    problems = _problems(draft, audience)
    count = audience.count
    calls = len(portions(draft.recipient_ids, CHANNELS[draft.channel]))
    listed = audience.first(MAX_LISTED)
    members = draft.recipient_ids or []
    channel = CHANNELS[draft.channel]
    return page(
        request,
        "notifications/compose/check.html",
        _("Check and send"),
        draft=draft,
        channel=channel,
        reaches_offline=channel.reaches_offline(draft.options),
        can_be_taken_back=not channel.why_not_amendable(draft.options),
        sender=draft.options.from_account or settings.IM_ADMIN_ACCOUNT,
        options=option_lines(draft.options),
        sender_is_unknown=sender_is_unknown,
        people=audience.included.people,
        uncounted=audience.included.uncounted,
        has_changed=has_changed,
        differences=differences(before, checked.shown()) if before else [],
        problems=problems,
        warnings=[] if problems else _warnings(draft, audience, calls * count),
        form=form,
        step=2,
        count=count,
        conditions=_conditions(audience.rule) if audience.rule else [],
        audience_name=audience.name,
        first_groups=_lines(listed[:MAX_UNFOLDED]),
        other_groups=_lines(listed[MAX_UNFOLDED:]),
        other_count=max(0, count - MAX_UNFOLDED),
        unlisted=max(0, count - MAX_LISTED),
        excluded=_excluded(audience),
        member_count=len(members),
        first_members=members[:MAX_UNFOLDED],
        other_members=members[MAX_UNFOLDED:],
        calls=calls,
        button=ngettext("Send to %(n)d group", "Send to %(n)d groups", count)
        % {"n": count},
    )


def _conditions(rule: Rule) -> list[tuple[str, str]]:
    """The conditions of a rule as labels and values, with the names of its exceptions."""
    conditions = replace(rule, exceptions=()).conditions()
    if rule.exceptions:
        first = groups_by_id(rule.exceptions[:NAMED])
        names = [first[i].name if i in first else i for i in rule.exceptions[:NAMED]]
        conditions.append((_("Except"), join_first(names, len(rule.exceptions))))
    return conditions


def _lines(groups: Sequence[ChatGroup]) -> list[tuple[str, str]]:
    """Name, and type with the number of members if it is known."""
    lines = []
    for group in groups:
        facts = str(group.get_type_display())
        if count := group.member_count:
            members = ngettext("%(n)s member", "%(n)s members", count)
            facts += " · " + members % {"n": f"{count:,}"}
        lines.append((group.name, facts))
    return lines


def _excluded(audience: Audience) -> dict[str, Any] | None:
    """The excluded groups with reasons. Chosen groups are refused by name instead."""
    count = audience.excluded_count
    if not count or audience.kind == Notification.Audience.CHOSEN:
        return None
    groups = audience.excluded_groups()[:MAX_LISTED]
    return {
        "count": count,
        "reasons": count_labels(audience.excluded),
        "groups": [(group.name, reason_label(group.reason)) for group in groups],
        "unlisted": max(0, count - MAX_LISTED),
    }


def _problems(draft: Notification, audience: Audience) -> list[str]:
    """Changes since the draft was saved that prevent sending."""
    return [
        *_sentences(check_sendable, draft),
        *_sentences(check_audience, audience),
    ]


def _sentences(check_again: Callable[[T], None], value: T) -> list[str]:
    try:
        check_again(value)
    except ValidationError as error:
        return error.messages
    return []


def _warnings(draft: Notification, audience: Audience, calls: int) -> list[str]:
    """Warnings that do not prevent sending."""
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
    if count := audience.excluded.get(ExclusionReason.CHANNEL, 0):
        warnings.append(
            ngettext(
                "%(n)s group is left out: this channel does not reach it (%(types)s).",
                "%(n)s groups are left out: this channel does not reach them (%(types)s).",
                count,
            )
            % {"n": f"{count:,}", "types": _types_not_reached(audience)}
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
        # At least one minute, to avoid "0 minutes ago".
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


def _types_not_reached(audience: Audience) -> str:
    """``Broadcast: 3``."""
    groups = audience.excluded_groups(ExclusionReason.CHANNEL).order_by()
    counts = groups.values_list("type").annotate(Count("pk"))
    return ", ".join(
        _("%(label)s: %(value)s")
        % {"label": GroupType(group_type).label, "value": f"{count:,}"}
        for group_type, count in counts
    )


def _send_form(
    request: HttpRequest,
    draft: Notification,
    checked: Checked,
    *,
    confirm_anew: bool = False,
) -> SendForm:
    count = checked.groups.count
    shown = {"digest": checked.digest(), "shown": sign(checked.shown())}
    posted = request.POST.copy()
    if confirm_anew:
        for name, value in shown.items():
            posted[name] = value
        posted.pop("sure", None)
    return SendForm(
        posted if request.method == "POST" else None,
        initial=shown,
        count=count,
        must_confirm=(
            count > CONFIRM_ABOVE or draft.audience == Notification.Audience.EVERY
        ),
    )
