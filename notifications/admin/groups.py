"""Groups: the list of chat groups, and one group."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications import roles
from notifications.forms.filters import GroupFilterForm
from notifications.models import ChatGroup, Delivery
from notifications.services import chat_groups
from notifications.views.page import person
from notifications.views.write import CHOSEN

from .display import badge, in_zone, labelled, moment, two_lines
from .plain import NoColons

NAMED_IN_MESSAGE = 5


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


@admin.register(ChatGroup)
class ChatGroupAdmin(NoColons, admin.ModelAdmin):
    list_display = [
        "title_and_id",
        "kind",
        "members",
        "last_sent",
        "checked",
        "state_badge",
    ]
    search_fields = ["name", "group_id", "former_names"]
    list_per_page = 50
    show_full_result_count = False
    fields = ["group_id", "name", "type", "member_count", "state"]
    actions = ["write_to", "switch_off", "switch_on"]

    # --- the list ------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GroupList

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChatGroup]:
        newest = Delivery.objects.history().filter(group_id=OuterRef("group_id"))
        last = Subquery(newest.order_by("-id").values("created_at")[:1])
        groups: QuerySet[ChatGroup] = super().get_queryset(request)
        return groups.annotate(last_sent_at=last)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": _("Chat groups"), **(extra_context or {})}
        )

    def get_action_choices(
        self, request: HttpRequest, default_choices: Any = ()
    ) -> list[tuple[str, str]]:
        first = [("", _("Choose an action"))]
        return super().get_action_choices(request, first)

    @admin.display(description=gettext_lazy("Group"), ordering="name")
    def title_and_id(self, group: ChatGroup) -> SafeString:
        return two_lines(group.name, group.group_id)

    @admin.display(description=gettext_lazy("Type"), ordering="type")
    def kind(self, group: ChatGroup) -> SafeString:
        return labelled(_("Type"), group.get_type_display())

    @admin.display(description=gettext_lazy("Members"), ordering="member_count")
    def members(self, group: ChatGroup) -> SafeString:
        return labelled(_("Members"), f"{group.member_count:,}")

    @admin.display(description=in_zone(gettext_lazy("Last notification")))
    def last_sent(self, group: Any) -> SafeString:
        return labelled(_("Last notification"), moment(group.last_sent_at))

    @admin.display(
        description=in_zone(gettext_lazy("Last checked")), ordering="checked_at"
    )
    def checked(self, group: ChatGroup) -> SafeString:
        return labelled(_("Last checked"), moment(group.checked_at))

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def state_badge(self, group: ChatGroup) -> SafeString:
        return badge(group.state, group.get_state_display())

    # --- one group -----------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        group = self.get_object(request, object_id) if object_id else None
        extra = {
            "title": group.name if group else _("Add chat group"),
            "subtitle": None,
            "show_save_and_continue": False,
            "show_save_and_add_another": group is None,
        }
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), **extra}
        )

    def formfield_for_choice_field(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "type":
            choices = db_field.get_choices(blank_choice=[("", _("Choose a type"))])
            kwargs["choices"] = choices
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ChatGroup | None = None
    ) -> list[str]:
        # The history finds a group by its ID: another ID is another group.
        return ["group_id"] if obj else []

    def has_delete_permission(
        self, request: HttpRequest, obj: ChatGroup | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ChatGroup, form: Any, change: bool
    ) -> None:
        permission = roles.CHANGE_GROUPS if change else roles.ADD_GROUPS
        chat_groups.save_group(person(request, permission), obj)

    # --- actions -------------------------------------------------------------------

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.SEND)

    @admin.action(
        description=gettext_lazy("Write a notification to the selected groups"),
        permissions=["send"],
    )
    def write_to(
        self, request: HttpRequest, groups: QuerySet[ChatGroup]
    ) -> HttpResponse | None:
        in_use = ChatGroup.State.IN_USE
        left_out = list(groups.exclude(state=in_use).values_list("name", flat=True))
        if left_out:
            messages.warning(
                request,
                _("Left out, because they are switched off or closed: %(names)s")
                % {"names": _some(left_out)},
            )
        chosen = list(groups.filter(state=in_use).values_list("group_id", flat=True))
        if not chosen:
            return None
        request.session[CHOSEN] = chosen
        return redirect("admin:write")

    @admin.action(description=gettext_lazy("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        chosen = groups.count()
        n = chat_groups.switch_off(person(request, roles.CHANGE_GROUPS), groups)
        done = ngettext("%(n)d group switched off.", "%(n)d groups switched off.", n)
        _say(request, done % {"n": n}, changed=n, left=chosen - n)

    @admin.action(description=gettext_lazy("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        chosen = groups.count()
        n = chat_groups.switch_on(person(request, roles.CHANGE_GROUPS), groups)
        done = ngettext("%(n)d group switched on.", "%(n)d groups switched on.", n)
        _say(request, done % {"n": n}, changed=n, left=chosen - n)


def _say(request: HttpRequest, done: str, *, changed: int, left: int) -> None:
    """What an action did; groups in another state were left alone."""
    if changed:
        messages.success(request, done)
    if left:
        sentence = ngettext(
            "%(n)d group was left as it is.",
            "%(n)d groups were left as they are.",
            left,
        )
        messages.info(request, sentence % {"n": left})


def _some(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown, more = ", ".join(names[:NAMED_IN_MESSAGE]), len(names) - NAMED_IN_MESSAGE
    if more <= 0:
        return shown
    sentence = ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more)
    return sentence % {"names": shown, "n": more}
