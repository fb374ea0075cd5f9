"""The search field for chat groups on the Write page."""

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Case, When
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from notifications import permissions
from notifications.audiences.audience import Audience, Kind, audience
from notifications.audiences.exclusions import reason_label
from notifications.groups.ids import count_duplicates, split_group_ids
from notifications.models import ChatGroup, Notification
from notifications.ui.pages import require_permission

MOST = 20

NAME_MAX_LENGTH = 100


def suggestions(term: str) -> Sequence[ChatGroup]:
    """Groups in use whose name, former name or ID holds ``term``; one query.

    First the group with that ID, then those whose name begins with the term, then the
    others, by name. One more than ``MOST`` at most, so that the caller can tell whether
    there are more. No group matches a term that no name can hold: a longer one, or one
    with a null character, which PostgreSQL would not even take.
    """
    term = term.strip()
    if len(term) > NAME_MAX_LENGTH or "\0" in term:
        return []
    every = audience(Kind.EVERY, [])
    if not term:
        return list(every.going_groups()[: MOST + 1])
    rank = Case(When(group_id=term, then=0), When(place=1, then=1), default=2)
    # Asked for before the reasons for being left out, since few groups pass it.
    matching = ChatGroup.objects.matching(term)
    ranked = replace(every, meant=matching).going_groups().alias(rank=rank)
    return list(ranked.order_by("rank", "name", "id")[: MOST + 1])


SHOWN = 50  # of the chosen groups, as chips


@require_http_methods(["GET", "POST"])
def groups(request: HttpRequest) -> JsonResponse:
    """GET ``?q=``: groups to offer. POST ``ids``: the groups behind pasted IDs.

    Both answer ``{"groups": [...], "says": sentence for the status line}``; of pasted
    IDs ``groups`` are those to show, and ``ids`` all of them.
    """
    require_permission(request, permissions.SEND)
    if request.method == "POST":
        ids = split_group_ids(request.POST.get("ids", ""))
        meant = audience(Notification.Audience.CHOSEN, ids)
        return JsonResponse(
            {
                "ids": meant.ids,
                "groups": picker_context(meant),
                "says": _about_pasted(ids, meant),
            }
        )
    found = suggestions(request.GET.get("q", ""))
    offered = [_as_json(group) for group in found[:MOST]]
    return JsonResponse({"groups": offered, "says": _about_found(len(found))})


def picker_context(meant: Audience) -> list[dict[str, str]]:
    """At most ``SHOWN`` of the chosen; first those that cannot be sent to."""
    problems = [_unknown(group_id) for group_id in meant.unknown[:SHOWN]]
    if meant.left_out:
        problems += [
            _as_json(group, reason_label(group.reason))
            for group in meant.left_out_groups()[:SHOWN]
        ]
    usable = [_as_json(group) for group in meant.first(SHOWN)]
    return (problems + usable)[:SHOWN]


def _unknown(group_id: str) -> dict[str, str]:
    problem = _("not in the list")
    return {"id": group_id, "name": group_id, "type": "", "problem": problem}


def _as_json(group: ChatGroup, problem: str = "") -> dict[str, str]:
    """``problem``: why it cannot be sent to."""
    return {
        "id": group.group_id,
        "name": group.name,
        "type": group.get_type_display(),
        "problem": problem,
    }


def _about_found(count: int) -> str:
    if not count:
        return _("No group matches. Is it switched off?")
    if count > MOST:
        return _("More than %(n)d groups match. Type more of the name.") % {"n": MOST}
    return ngettext("%(n)d group matches.", "%(n)d groups match.", count) % {"n": count}


def _about_pasted(ids: Sequence[str], meant: Audience) -> str:
    """How many groups were found, and what is wrong with the others."""
    usable = meant.count
    unusable = len(meant.ids) - usable
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
    if again := count_duplicates(ids):
        sentences.append(duplicates_message(again))
    return " ".join(sentences)


def duplicates_message(count: int) -> str:
    return ngettext(
        "%(n)d ID was given more than once and counts once.",
        "%(n)d IDs were given more than once and count once.",
        count,
    ) % {"n": count}
