"""Which chat groups the list shows: the admin's list under our own filters."""

from typing import Any

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications.forms.filters import GroupFilterForm
from notifications.models import ChatGroup
from notifications.selectors.group_rows import rows_of


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
        self.result_list = rows_of(self.result_list)
