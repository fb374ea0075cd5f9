"""Which chat groups an address means: those ticked in the list, or all of its filter.

A filter travels in the address as it stands above the list, so that 100,000 groups need
no list of their IDs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.forms.filters import MAX_ID, GroupFilterForm
from notifications.models import ChatGroup

TICKED = "groups"


@dataclass(frozen=True, slots=True)
class Meant:
    """``query``: the list that they were chosen in, from "?" on, or empty."""

    groups: QuerySet[ChatGroup]
    count: int
    words: str
    query: str


def address_of(form: GroupFilterForm, ticked: Sequence[int] | None) -> str:
    """The query for ``meant``; ``ticked`` is ``None`` for all of the filter."""
    chosen = {} if ticked is None else {TICKED: ",".join(map(str, ticked))}
    return "?" + urlencode(form.active | chosen)


def meant(given: QueryDict) -> Meant | None:
    """``None`` for no group at all, or a filter that cannot be understood: one that is
    left out would mean more groups."""
    form = GroupFilterForm(given)
    if form.errors:
        return None
    ticked = str(given[TICKED]) if TICKED in given else None
    groups: QuerySet[ChatGroup] = ChatGroup.objects.all()
    if ticked is None:
        groups = form.apply(groups)
    else:
        groups = groups.filter(pk__in=_numbers(ticked))
    count = groups.count()
    if not count:
        return None
    if ticked is not None:
        words = ngettext(
            "%(n)s group that you ticked.", "%(n)s groups that you ticked.", count
        ) % {"n": f"{count:,}"}
    elif form.active:
        words = ngettext(
            "%(n)s group that matches: %(filters)s",
            "%(n)s groups that match: %(filters)s",
            count,
        ) % {"n": f"{count:,}", "filters": form.in_words()}
    else:
        words = _("All groups: %(n)s.") % {"n": f"{count:,}"}
    query = "?" + form.query if form.active else ""
    return Meant(groups, count, words, query)


def _numbers(text: str) -> list[int]:
    parts = [part for part in text.split(",") if part.isascii() and part.isdigit()]
    return [int(part) for part in parts if len(part) < 20 and int(part) <= MAX_ID]
