"""What the search field for groups on the Write page asks for."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from notifications import roles
from notifications.models import ChatGroup
from notifications.selectors import choices
from notifications.selectors.audiences import audience
from notifications.services.entered_ids import repeated, split_group_ids

from .page import person


@never_cache
@require_http_methods(["GET", "POST"])
def groups(request: HttpRequest) -> JsonResponse:
    """GET ``?q=``: groups to offer. POST ``ids``: the groups behind pasted IDs.

    Both answer ``{"groups": [...], "says": sentence for the status line}``.
    """
    person(request, roles.SEND)
    if request.method == "POST":
        ids = split_group_ids(request.POST.get("ids", ""))
        chosen = as_chosen(ids)
        return JsonResponse({"groups": chosen, "says": _about_pasted(ids, chosen)})
    found = choices.suggestions(request.GET.get("q", ""))
    offered = [_as_json(group) for group in found[: choices.MOST]]
    return JsonResponse({"groups": offered, "says": _about_found(len(found))})


def as_chosen(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Every ID once, in order, with what is known of it."""
    ids = list(dict.fromkeys(ids))
    found = audience("chosen", ids)
    known = {group.group_id: group for group in (*found.groups, *found.unusable)}
    return [
        _as_json(known[group_id])
        if group_id in known
        else {"id": group_id, "name": group_id, "problem": _("not in the list")}
        for group_id in ids
    ]


def _as_json(group: ChatGroup) -> dict[str, Any]:
    """``whole``: takes no named members. ``problem``: why it cannot be sent to."""
    in_use = group.state == ChatGroup.State.IN_USE
    return {
        "id": group.group_id,
        "name": group.name,
        "type": group.get_type_display(),
        "members": group.member_count,
        "whole": group.all_members_only,
        "problem": "" if in_use else group.get_state_display(),
    }


def _about_found(count: int) -> str:
    if not count:
        return _("No group matches. Is it switched off?")
    if count > choices.MOST:
        return _("More than %(n)d groups match. Type more of the name.") % {
            "n": choices.MOST
        }
    return ngettext("%(n)d group matches.", "%(n)d groups match.", count) % {"n": count}


def _about_pasted(ids: Sequence[str], chosen: Sequence[dict[str, Any]]) -> str:
    """How many groups were found, and what is wrong with the others."""
    unusable = sum(bool(item["problem"]) for item in chosen)
    usable = len(chosen) - unusable
    sentences = [
        ngettext("%(n)d group added.", "%(n)d groups added.", usable) % {"n": usable}
    ]
    if unusable:
        sentences.append(
            ngettext(
                "%(n)d cannot be sent to: see the mark.",
                "%(n)d cannot be sent to: see the marks.",
                unusable,
            )
            % {"n": unusable}
        )
    if again := repeated(ids):
        sentences.append(given_again(again))
    return " ".join(sentences)


def given_again(count: int) -> str:
    return ngettext(
        "%(n)d ID was given more than once and counts once.",
        "%(n)d IDs were given more than once and count once.",
        count,
    ) % {"n": count}
