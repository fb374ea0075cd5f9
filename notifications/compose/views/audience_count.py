"""Counts the groups and people of an audience while it is chosen on the Write page."""

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from notifications import permissions
from notifications.audiences.audience import (
    Audience,
    AudienceTotals,
    Kind,
    build_audience,
)
from notifications.audiences.exclusions import ExclusionReason, count_labels
from notifications.audiences.validation import (
    NOT_FOR_EVERY,
    check_audience,
    clean_values,
    joined_names,
)
from notifications.compose.forms import ChoiceForm
from notifications.delivery.capabilities import why_no_named_members
from notifications.delivery.channels import CHANNELS
from notifications.ui.pages import require_permission

NOTHING = {"groups": "–", "people": "–", "left_out": "", "problem": "", "reason": ""}


@require_POST
def count(request: HttpRequest) -> JsonResponse:
    """The sentences of the preview; ``reason``: why members cannot be named."""
    require_permission(request, permissions.SEND)
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return JsonResponse(NOTHING | {"problem": next(iter(form.errors.values()))[0]})
    kind, values = form.choice()
    if not values and kind in (Kind.CHOSEN, Kind.SAVED):
        return JsonResponse(NOTHING | {"groups": _groups(0)})
    try:
        values = clean_values(values)
    except ValidationError as error:
        return JsonResponse(NOTHING | {"problem": error.messages[0]})
    channel, options = form.message()
    audience = build_audience(
        kind,
        values,
        names_members=form.names_members,
        channel=channel,
        options=options,
    )
    return JsonResponse(_counts(audience) | {"reason": _reason(audience)})


def _counts(audience: Audience) -> dict[str, str]:
    problem = ""
    try:
        check_audience(audience)
    except ValidationError as error:
        # The page shows errors of the members beside their field.
        by_field = error.message_dict
        by_field.pop("recipients", None)
        problem = next(iter(by_field.values()), [""])[0]
    is_by_rule = audience.kind != Kind.CHOSEN
    return {
        "groups": _groups(audience.count),
        "people": _people(audience.included),
        "left_out": count_labels(audience.excluded) if is_by_rule else "",
        "problem": problem,
    }


def _groups(count: int) -> str:
    return ngettext("%(n)s group", "%(n)s groups", count) % {"n": f"{count:,}"}


def _people(totals: AudienceTotals) -> str:
    """Groups with an unknown number of members are counted separately."""
    counted = ngettext("%(n)s person", "%(n)s people", totals.people) % {
        "n": f"{totals.people:,}"
    }
    if not totals.uncounted:
        return counted
    if not totals.people:
        return _("not known")
    unknown = ngettext(
        "%(n)s group of unknown size", "%(n)s groups of unknown size", totals.uncounted
    ) % {"n": f"{totals.uncounted:,}"}
    return _("%(people)s and %(groups)s") % {"people": counted, "groups": unknown}


def _reason(audience: Audience) -> str:
    """Empty for a rule, which excludes the all-members-only groups instead."""
    if refusal := why_no_named_members(CHANNELS[audience.channel]):
        return refusal
    if audience.kind == Kind.EVERY:
        return str(NOT_FOR_EVERY)
    if audience.kind != Kind.CHOSEN or not audience.all_members_only_count:
        return ""
    names, _count = joined_names(
        replace(audience, names_members=True), ExclusionReason.RECIPIENTS
    )
    sentence = _(
        "Some groups can only be sent to everyone. To name members, first remove: "
        "%(names)s"
    )
    return sentence % {"names": names}
