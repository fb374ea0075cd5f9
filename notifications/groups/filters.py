"""Filters of the list of chat groups, and selections of groups in the query string.

The query string holds the filter instead of IDs, so that a selection of 100,000 groups
fits in a URL.
"""

from collections.abc import Mapping, Sequence
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
        """Filter with one subquery: otherwise SQLite scans all rows in order of name."""
        matches = ChatGroup.objects.order_by()
        if term := self.value("q"):
            matches = matches.matching(term)
        if self.value("type") == UNKNOWN_TYPE[0]:
            matches = matches.exclude(type__in=GroupType.values)
        elif group_type := self.value("type"):
            matches = matches.filter(type=group_type)
        if label := self.value("label"):
            matches = matches.fitting(Rule(labels=(label,)))
        if state := self.value("state"):
            matches = matches.filter(state=state)
        matches = matches.filter(_checked(self.value("checked")))
        return groups.filter(pk__in=matches.values("pk")) if self.active else groups

    def describe(self) -> str:
        """The active filters: ``Group type: Live room · State: In use``."""
        return " · ".join(
            f"{self[name].label}: {self._display(name, value)}"
            for name, value in self.active.items()
        )

    def _display(self, name: str, value: str) -> object:
        field = self.fields[name]
        if not isinstance(field, forms.ChoiceField):
            return value
        choices: Any = field.choices
        return dict(choices)[value]


def _checked(when: str) -> Q:
    """Groups by the time of their last confirmation, by a user, an import or a sync."""
    if not when:
        return Q()
    if when == NEVER:
        return Q(checked_at=None)
    days = {TODAY: 1, THIS_WEEK: 7, EARLIER: 7}[when]
    since = timezone.now() - timedelta(days=days)
    return Q(checked_at__lt=since) if when == EARLIER else Q(checked_at__gte=since)


class GroupList(ChangeList):
    """Admin change list with ``GroupFilterForm``; ignores invalid parameters."""

    search_form_class = forms.Form  # empty: filter_form has the search field

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.filter_form = GroupFilterForm(request.GET)
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        return {}

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[ChatGroup]:
        groups: QuerySet[ChatGroup] = super().get_queryset(request, exclude_parameters)
        return self.filter_form.apply(groups)

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except IncorrectLookupParameters:  # the page does not exist
            self.page_num = 1
            super().get_results(request)
        self.result_list = group_rows(self.result_list)


# Parameter with the primary keys of the selected groups.
SELECTED = "groups"

# Session key of the group IDs that are passed to the Write page.
SELECTED_GROUPS_KEY = "groups_for_write"


@dataclass(frozen=True, slots=True)
class GroupSelection:
    """``query``: query string of the list of groups, with "?", or empty.

    ``filters`` selected the groups; ``None`` if they were ticked.
    """

    groups: QuerySet[ChatGroup]
    count: int
    description: str
    query: str
    filters: Mapping[str, str] | None


def selection_query(form: GroupFilterForm, selected: Sequence[int] | None) -> str:
    """Query string for ``selection_of``; ``None`` selects all groups of the filter."""
    pks = {} if selected is None else {SELECTED: ",".join(map(str, selected))}
    return "?" + urlencode(form.active | pks)


def selection_of(parameters: QueryDict) -> GroupSelection | None:
    """The selected groups; ``None`` if there are none or if a filter is invalid.

    Ignoring an invalid filter would select more groups than intended.
    """
    form = GroupFilterForm(parameters)
    if form.errors:
        return None
    selected = str(parameters[SELECTED]) if SELECTED in parameters else None
    groups: QuerySet[ChatGroup] = ChatGroup.objects.all()
    if selected is None:
        groups = form.apply(groups)
    else:
        groups = groups.filter(pk__in=_numbers(selected))
    count = groups.count()
    if not count:
        return None
    if selected is not None:
        description = ngettext(
            "%(n)s group that you ticked.", "%(n)s groups that you ticked.", count
        ) % {"n": f"{count:,}"}
    elif form.active:
        description = ngettext(
            "%(n)s group that matches: %(filters)s",
            "%(n)s groups that match: %(filters)s",
            count,
        ) % {"n": f"{count:,}", "filters": form.describe()}
    else:
        description = _("All groups: %(n)s.") % {"n": f"{count:,}"}
    query = "?" + form.query if form.active else ""
    filters = form.active if selected is None else None
    return GroupSelection(groups, count, description, query, filters)


def _numbers(text: str) -> list[int]:
    words = [word for word in text.split(",") if word.isascii() and word.isdigit()]
    return [int(word) for word in words if len(word) < 20 and int(word) <= MAX_ID]
