"""The result of “Check these members” on the Write page, in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.compose.services.member_check import (
    MemberCheckResult,
    UncheckedGroup,
    request_member_check,
)
from notifications.delivery.explanations import Explanation, explain_reading
from notifications.delivery.heartbeat import has_live_worker
from notifications.groups.ids import split_group_ids
from notifications.models import ChatGroup, Notification
from notifications.tencent import error_codes
from notifications.tencent.outcomes import Outcome
from notifications.ui.text import join_first, split_ids

# The name of the button.
BUTTON = "check_members"

NAMED = 50


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A sentence of the result; ``kind`` is its CSS class: fine, warn or bad."""

    kind: str
    sentence: str


def is_requested(request: HttpRequest) -> bool:
    """Whether the button “Check these members” submitted the form."""
    return request.method == "POST" and BUTTON in request.POST


def entered_values(request: HttpRequest, form: type[forms.Form]) -> dict[str, Any]:
    """Initial values that show the form as it was posted, without validation errors."""
    return {
        name: field.widget.value_from_datadict(request.POST, request.FILES, name)
        for name, field in form.base_fields.items()
    }


def result(request: HttpRequest, user: User) -> list[ResultLine]:
    """Check the posted members. Raises ``PermissionDenied``."""
    if request.POST.get("audience") != Notification.Audience.CHOSEN:
        sentence = _("To check members, choose the groups one by one.")
        return [ResultLine("bad", sentence)]
    try:
        check = request_member_check(
            user,
            split_group_ids(request.POST.get("groups", "")),
            split_ids(request.POST.get("recipients", "")),
        )
    except ValidationError as error:
        return [ResultLine("bad", sentence) for sentence in error.messages]
    if check is None:
        return [_no_answer()]
    return list(_lines(check))


def _no_answer() -> ResultLine:
    if not has_live_worker():
        return ResultLine(
            "bad", _("No worker is running, so Tencent cannot be asked. Start one.")
        )
    return ResultLine(
        "warn",
        _(
            "Asked. There is no answer yet: press “Check these members” again in a few "
            "seconds."
        ),
    )


def _lines(check: MemberCheckResult) -> Iterator[ResultLine]:
    if check.failure is not None:
        why = _explanation(check.failure)
        yield ResultLine("bad", f"{_meaning(why)} {_remedy(check.failure, why)}")
    for group, missing in check.missing:
        yield ResultLine(
            "warn",
            _("Not in “%(group)s”: %(ids)s.")
            % {"group": group.name, "ids": join_first(missing, most=NAMED)},
        )
    for unknown in check.unchecked:
        yield ResultLine("warn", _unchecked_sentence(unknown))
    if check.not_asked:
        yield ResultLine(
            "warn",
            (
                _("No time was left to ask about: %(groups)s. Choose fewer groups.")
                if check.failure is None
                else _("Not asked about: %(groups)s.")
            )
            % {"groups": _names(check.not_asked)},
        )
    if check.complete:
        others = check.missing or check.unchecked or check.not_asked
        yield ResultLine(
            "fine",
            _("Nobody is missing in: %(groups)s.") % {"groups": _names(check.complete)}
            if others
            else _all_are_in(check),
        )


def _all_are_in(check: MemberCheckResult) -> str:
    if check.members == 1:
        return ngettext(
            "This is a member of the group.",
            "This is a member of the %(n)d groups.",
            len(check.complete),
        ) % {"n": len(check.complete)}
    return ngettext(
        "All %(ids)d are members of the group.",
        "All %(ids)d are members of the %(n)d groups.",
        len(check.complete),
    ) % {"ids": check.members, "n": len(check.complete)}


def _unchecked_sentence(unknown: UncheckedGroup) -> str:
    group = unknown.group
    if unknown.outcome is not None:
        return _("“%(group)s” could not be checked: %(why)s") % {
            "group": group.name,
            "why": _meaning(_explanation(unknown.outcome)),
        }
    if group.all_members_only:
        return _("“%(group)s” can only be sent to everyone.") % {"group": group.name}
    return _("“%(group)s” cannot be sent to now. Remove it.") % {"group": group.name}


def _explanation(outcome: Outcome) -> Explanation:
    return explain_reading(outcome.error_code, outcome.reason or "")


def _remedy(outcome: Outcome, why: Explanation) -> str:
    code = outcome.error_code
    if code is None or error_codes.info(code).is_rate_limit:
        return _("Try again in a moment.")
    return why.remedy


def _meaning(why: Explanation) -> str:
    return f"{why.meaning} ({why.mark})" if why.mark else why.meaning


def _names(groups: Sequence[ChatGroup]) -> str:
    return ", ".join(group.name for group in groups)
