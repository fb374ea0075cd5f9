"""Filters of the list of chat groups, and the groups that a filter or a selection selects.

A filter travels in the address as it stands above the list, so that 100,000 groups need
no list of their IDs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from notifications.groups.queries import group_rows
from notifications.models import ChatGroup, GroupType, Label, Rule
from notifications.ui.filters import MAX_ID, FilterForm, OneOf, Search

UNKNOWN_TYPE = ("unknown", gettext_lazy("Unknown type"))

TODAY, THIS_WEEK, EARLIER, NEVER = "day", "week", "earlier", "never"

CHECKED = [
    (TODAY, gettext_lazy("Within a day")),
    (THIS_WEEK, gettext_lazy("Within a week")),
    (EARLIER, gettext_lazy("Longer ago")),
    (NEVER, pgettext_lazy("checked", "Never")),
]


class GroupFilterForm(FilterForm):
    q = Search(gettext_lazy("Search by name or group ID"))
    type = OneOf(gettext_lazy("Group type"), [*GroupType.choices, UNKNOWN_TYPE])
    label = OneOf(gettext_lazy("Label"))
    state = OneOf(gettext_lazy("State"), ChatGroup.State.choices)
    checked = OneOf(gettext_lazy("Last checked"), CHECKED)

    def fill_choices(self) -> None:
        names = Label.objects.values_list("name", flat=True)
        self.set_choices("label", [(name, name) for name in names])

    def apply(self, groups: QuerySet[ChatGroup]) -> QuerySet[ChatGroup]:
        """As one list of IDs: else SQLite looks into every row in the order of names."""
        found = ChatGroup.objects.order_by()
        if term := self.given("q"):
            found = found.matching(term)
        if self.given("type") == UNKNOWN_TYPE[0]:
            found = found.exclude(type__in=GroupType.values)
        elif group_type := self.given("type"):
            found = found.filter(type=group_type)
        if label := self.given("label"):
            found = found.fitting(Rule(labels=(label,)))
        if state := self.given("state"):
            found = found.filter(state=state)
        found = found.filter(_checked(self.given("checked")))
        return groups.filter(pk__in=found.values("pk")) if self.active else groups

    def in_words(self) -> str:
        """What is asked for: ``Group type: Live room · State: In use``."""
        return " · ".join(
            f"{self[name].label}: {self._shown(name, value)}"
            for name, value in self.active.items()
        )

    def _shown(self, name: str, value: str) -> object:
        field = self.fields[name]
        if not isinstance(field, forms.ChoiceField):
            return value
        choices: Any = field.choices
        return dict(choices)[value]


def _checked(when: str) -> Q:
    """Groups by the last time that somebody or something vouched for them."""
    if not when:
        return Q()
    if when == NEVER:
        return Q(checked_at=None)
    days = {TODAY: 1, THIS_WEEK: 7, EARLIER: 7}[when]
    since = timezone.now() - timedelta(days=days)
    return Q(checked_at__lt=since) if when == EARLIER else Q(checked_at__gte=since)


class GroupList(ChangeList):
    """The admin's list with our filter form; odd addresses are answered, not refused."""

    search_form_class = forms.Form  # none: filter_form has the search

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.filter_form = GroupFilterForm(request.GET)
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        return {}

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[ChatGroup]:
        found: QuerySet[ChatGroup] = super().get_queryset(request, exclude_parameters)
        return self.filter_form.apply(found)

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except IncorrectLookupParameters:  # a page that does not exist
            self.page_num = 1
            super().get_results(request)
        self.result_list = group_rows(self.result_list)


TICKED = "groups"


@dataclass(frozen=True, slots=True)
class GroupSelection:
    """``query``: the list that they were chosen in, from "?" on, or empty."""

    groups: QuerySet[ChatGroup]
    count: int
    words: str
    query: str


def selection_query(form: GroupFilterForm, ticked: Sequence[int] | None) -> str:
    """The query for ``meant``; ``ticked`` is ``None`` for all of the filter."""
    chosen = {} if ticked is None else {TICKED: ",".join(map(str, ticked))}
    return "?" + urlencode(form.active | chosen)


def selection_of(given: QueryDict) -> GroupSelection | None:
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
    return GroupSelection(groups, count, words, query)


def _numbers(text: str) -> list[int]:
    parts = [part for part in text.split(",") if part.isascii() and part.isdigit()]
    return [int(part) for part in parts if len(part) < 20 and int(part) <= MAX_ID]


CHOSEN = "groups_for_write"
