"""Groups: the list of chat groups, and one group."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications import permissions
from notifications.groups import labels as groups_labels
from notifications.groups import services as groups_services
from notifications.groups.filters import (
    CHOSEN,
    GroupFilterForm,
    GroupList,
    selection_query,
)
from notifications.groups.forms import GroupForm
from notifications.groups.queries import type_label
from notifications.models import ChatGroup, GroupType
from notifications.ui.admin import ConsoleModelAdmin, badge, labelled, two_lines
from notifications.ui.dates import in_zone, time_cell
from notifications.ui.pages import require_permission
from notifications.ui.text import join_first

MOST_BY_ID = 1000  # groups taken over to Write by their IDs


@admin.register(ChatGroup)
class ChatGroupAdmin(ConsoleModelAdmin, admin.ModelAdmin):
    list_display = [
        "title_and_id",
        "kind",
        "label_names",
        "members",
        "last_sent",
        "checked",
        "state_badge",
    ]
    search_fields = ["name", "group_id", "former_names"]
    list_per_page = 50
    show_full_result_count = False
    form = GroupForm
    actions = ["write_to", "put_labels", "take_labels", "switch_off", "switch_on"]

    # --- the list ------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GroupList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request,
            {
                "title": _("Chat groups"),
                "has_change_permission": self.has_change_permission(request),
                **(extra_context or {}),
            },
        )

    def get_action_choices(
        self, request: HttpRequest, default_choices: Any = ()
    ) -> list[tuple[str, str]]:
        first = [("", _("Choose an action"))]
        return super().get_action_choices(request, first)

    # The admin fills in a template for each box, which is a fifth of the page's time.
    def action_checkbox(self, obj: ChatGroup) -> SafeString:
        return format_html(
            '<input type="checkbox" class="action-select" name="{}" value="{}" '
            'aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            _("Select %(name)s") % {"name": obj.name},
        )

    @admin.display(description=gettext_lazy("Group"), ordering="name")
    def title_and_id(self, group: ChatGroup) -> SafeString:
        return two_lines(group.name, group.group_id)

    @admin.display(description=gettext_lazy("Type"), ordering="type")
    def kind(self, group: ChatGroup) -> SafeString:
        return labelled(_("Type"), type_label(group))

    @admin.display(description=gettext_lazy("Labels"))
    def label_names(self, group: ChatGroup) -> SafeString:
        names = ", ".join(label.name for label in group.labels.all())
        return labelled(_("Labels"), names or "–")

    @admin.display(description=gettext_lazy("Members"), ordering="member_count")
    def members(self, group: ChatGroup) -> SafeString:
        # None: not known, as of live rooms that nobody counted.
        count = f"{group.member_count:,}" if group.member_count else "–"
        return labelled(_("Members"), count)

    @admin.display(description=in_zone(gettext_lazy("Last notification")))
    def last_sent(self, group: Any) -> SafeString:
        return labelled(_("Last notification"), time_cell(group.last_sent_at))

    @admin.display(
        description=in_zone(gettext_lazy("Last checked")), ordering="checked_at"
    )
    def checked(self, group: ChatGroup) -> SafeString:
        return labelled(_("Last checked"), time_cell(group.checked_at))

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def state_badge(self, group: ChatGroup) -> SafeString:
        return badge(group.state, ChatGroup.State(group.state).label)

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

    def get_fields(
        self, request: HttpRequest, obj: ChatGroup | None = None
    ) -> list[Any]:
        own = ["group_id", "name", "type", "member_count", "state"]
        if self.has_change_permission(request):
            return [*own, "label_names", "new_labels"]
        return [*own, "labels"] if obj else own

    def get_readonly_fields(
        self, request: HttpRequest, obj: ChatGroup | None = None
    ) -> list[str]:
        if obj is None:
            return []
        # The history finds a group by its ID: another ID is another group. Tencent
        # knows what an unknown type is, and nobody here may say that it is another.
        is_known = obj.type in GroupType.values
        return ["group_id"] if is_known else ["group_id", "type"]

    def has_delete_permission(
        self, request: HttpRequest, obj: ChatGroup | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ChatGroup, form: Any, change: bool
    ) -> None:
        permission = permissions.CHANGE_GROUPS if change else permissions.ADD_GROUPS
        user = require_permission(request, permission)
        groups_services.save_group(user, obj)
        if self.has_change_permission(request):
            groups_labels.set_labels(user, obj, form.names())

    # --- actions -------------------------------------------------------------------

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(permissions.SEND)

    @admin.action(
        description=gettext_lazy("Write a notification to the selected groups"),
        permissions=["send"],
    )
    def write_to(
        self, request: HttpRequest, groups: QuerySet[ChatGroup]
    ) -> HttpResponse | None:
        if groups.count() > MOST_BY_ID:
            messages.warning(request, _too_many())
            return None
        rows = list(groups.only("name", "group_id", "state", "type"))
        if left_out := [group.name for group in rows if not group.is_usable]:
            messages.warning(
                request,
                _(
                    "Left out, because they are switched off, closed or of an unknown "
                    "type: %(names)s"
                )
                % {"names": join_first(left_out)},
            )
        chosen = [group.group_id for group in rows if group.is_usable]
        if not chosen:
            return None
        request.session[CHOSEN] = chosen
        return redirect("admin:write")

    @admin.action(
        description=gettext_lazy("Put labels on the selected groups"),
        permissions=["change"],
    )
    def put_labels(
        self, request: HttpRequest, groups: QuerySet[ChatGroup]
    ) -> HttpResponse:
        return _to("admin:labels_put", request)

    @admin.action(
        description=gettext_lazy("Take labels off the selected groups"),
        permissions=["change"],
    )
    def take_labels(
        self, request: HttpRequest, groups: QuerySet[ChatGroup]
    ) -> HttpResponse:
        return _to("admin:labels_take", request)

    @admin.action(description=gettext_lazy("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        chosen = groups.count()
        n = groups_services.switch_off(
            require_permission(request, permissions.CHANGE_GROUPS), groups
        )
        done = ngettext("%(n)d group switched off.", "%(n)d groups switched off.", n)
        _say(request, done % {"n": n}, changed=n, left=chosen - n)

    @admin.action(description=gettext_lazy("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        chosen = groups.count()
        n = groups_services.switch_on(
            require_permission(request, permissions.CHANGE_GROUPS), groups
        )
        done = ngettext("%(n)d group switched on.", "%(n)d groups switched on.", n)
        _say(request, done % {"n": n}, changed=n, left=chosen - n)


def _to(name: str, request: HttpRequest) -> HttpResponse:
    """The page for the groups ticked or, of "Select all", for those of the filter."""
    ticked = [int(pk) for pk in request.POST.getlist("_selected_action")]
    is_all = request.POST.get("select_across") == "1"
    form = GroupFilterForm(request.GET)
    return redirect(reverse(name) + selection_query(form, None if is_all else ticked))


def _too_many() -> SafeString:
    """Thousands of IDs say less than the rule that means them."""
    return format_html(
        _(
            "More than %(n)s groups are not written to one by one. In "
            '<a href="{write}">Write</a>, choose them by a rule, or by an '
            '<a href="{audiences}">audience</a>.'
        )
        % {"n": f"{MOST_BY_ID:,}"},
        write=reverse("admin:write"),
        audiences=reverse("admin:audiences"),
    )


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
