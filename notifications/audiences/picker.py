"""The search field for chat groups on the Write page."""

from collections.abc import Sequence
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db.models import Case, When
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from notifications import permissions
from notifications.audiences.audience import Audience, Kind, build_audience
from notifications.audiences.exclusions import reason_label
from notifications.groups.ids import count_duplicates, split_group_ids
from notifications.models import ChatGroup, Notification
from notifications.ui.pages import require_permission

MAX_SUGGESTIONS = 20

NAME_MAX_LENGTH = 100


def suggestions(term: str) -> Sequence[ChatGroup]:
    """Groups in use whose name, former name or ID contains ``term``; one query.

    First the group with that ID, then names that begin with the term, then the others
    by name. Up to ``MAX_SUGGESTIONS`` + 1, so that the caller detects that there are
    more. No group matches a term that is longer than any name or has a null character,
    which PostgreSQL refuses.
    """
    term = term.strip()
    if len(term) > NAME_MAX_LENGTH or "\0" in term:
        return []
    every = build_audience(Kind.EVERY, [])
    if not term:
        return list(every.included_groups()[: MAX_SUGGESTIONS + 1])
    rank = Case(When(group_id=term, then=0), When(place=1, then=1), default=2)
    # Filtered by the term before the reasons of exclusion, since few groups match it.
    matching = ChatGroup.objects.matching(term)
    ranked = replace(every, selected=matching).included_groups().alias(rank=rank)
    return list(ranked.order_by("rank", "name", "id")[: MAX_SUGGESTIONS + 1])


MAX_CHIPS = 50  # chosen groups on the page


@require_http_methods(["GET", "POST"])
def groups(request: HttpRequest) -> JsonResponse:
    """GET ``?q=``: suggested groups. POST ``ids``: the groups with pasted IDs.

    Both return ``{"groups": [...], "says": sentence for the status line}``. For pasted
    IDs, ``groups`` has those to show as chips, and ``ids`` has all IDs.
    """
    require_permission(request, permissions.SEND)
    if request.method == "POST":
        try:
            ids = split_group_ids(request.POST.get("ids", ""))
        except ValidationError as error:
            return JsonResponse({"ids": [], "groups": [], "says": error.messages[0]})
        audience = build_audience(Notification.Audience.CHOSEN, ids)
        return JsonResponse(
            {
                "ids": audience.ids,
                "groups": picker_context(audience),
                "says": _paste_result(ids, audience),
            }
        )
    matches = suggestions(request.GET.get("q", ""))
    suggested = [_as_json(group) for group in matches[:MAX_SUGGESTIONS]]
    return JsonResponse({"groups": suggested, "says": _match_count(len(matches))})


def picker_context(audience: Audience) -> list[dict[str, str]]:
    """Up to ``MAX_CHIPS`` chosen groups; first those that cannot be sent to."""
    problems = [
        {"id": i, "name": i, "type": "", "problem": _("not in the list")}
        for i in audience.unknown_ids[:MAX_CHIPS]
    ]
    if audience.excluded:
        problems += [
            _as_json(group, reason_label(group.reason))
            for group in audience.excluded_groups()[:MAX_CHIPS]
        ]
    usable = [_as_json(group) for group in audience.first(MAX_CHIPS)]
    return (problems + usable)[:MAX_CHIPS]


def _as_json(group: ChatGroup, problem: str = "") -> dict[str, str]:
    """``problem``: the reason why the group cannot be sent to."""
    return {
        "id": group.group_id,
        "name": group.name,
        "type": group.get_type_display(),
        "problem": problem,
    }


def _match_count(count: int) -> str:
    if not count:
        return _("No group matches. Is it switched off?")
    if count > MAX_SUGGESTIONS:
        return _("More than %(n)d groups match. Type more of the name.") % {
            "n": MAX_SUGGESTIONS
        }
    return ngettext("%(n)d group matches.", "%(n)d groups match.", count) % {"n": count}


def _paste_result(ids: Sequence[str], audience: Audience) -> str:
    """How many pasted groups were added, and how many IDs cannot be sent to."""
    usable = audience.count
    unusable = len(audience.ids) - usable
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
    if duplicates := count_duplicates(ids):
        sentences.append(duplicates_message(duplicates))
    return " ".join(sentences)


def duplicates_message(count: int) -> str:
    return ngettext(
        "%(n)d ID was given more than once and counts once.",
        "%(n)d IDs were given more than once and count once.",
        count,
    ) % {"n": count}
