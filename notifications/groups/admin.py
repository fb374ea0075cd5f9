"""Admin of chat groups: the list with its actions, and the form of one group."""

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
from notifications.db.sql import lock_tables
from notifications.groups import labels as groups_labels
from notifications.groups import services as groups_services
from notifications.groups.filters import (
    SELECTED_GROUPS_KEY,
    GroupFilterForm,
    GroupList,
    selection_query,
)
from notifications.groups.forms import GroupForm
from notifications.groups.queries import type_label
from notifications.models import ChatGroup, GroupType
from notifications.ui.admin import ConsoleModelAdmin, badge, labelled, two_lines
from notifications.ui.dates import in_zone, time_cell
from notifications.ui.pages import require_login, require_permission
from notifications.ui.text import join_first

MAX_WRITE_BY_ID = 1000  # selected groups that are passed to the Write page


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
    actions = ["write_to", "add_labels", "remove_labels", "switch_off", "switch_on"]

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
        return super().get_action_choices(request, [("", _("Choose an action"))])

    # The admin renders a template for each checkbox: a fifth of the page's time.
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
        # 0: unknown, for example for live rooms, which have no member count.
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
        fields = ["group_id", "name", "type", "member_count", "state"]
        if self.has_change_permission(request):
            return [*fields, "label_names", "new_labels"]
        return [*fields, "labels"] if obj else fields

    def get_readonly_fields(
        self, request: HttpRequest, obj: ChatGroup | None = None
    ) -> list[str]:
        if obj is None:
            return []
        # The history refers to a group by its ID, so the ID cannot change. An unknown
        # type comes from Tencent and must not be replaced by another one.
        is_known = obj.type in GroupType.values
        return ["group_id"] if is_known else ["group_id", "type"]

    def lock_row(self, request: HttpRequest, pk: int) -> None:
        permissions.lock_people([require_login(request).pk])
        lock_tables(*groups_labels.TABLES, shared=True)
        super().lock_row(request, pk)

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
            shown = form.initial.get("label_names", [])
            groups_labels.set_labels(user, obj, form.names(), shown=shown)

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
        if groups.count() > MAX_WRITE_BY_ID:
            messages.warning(request, _too_many_message())
            return None
        selected = list(groups.only("name", "group_id", "state", "type"))
        if excluded := [group.name for group in selected if not group.is_usable]:
            messages.warning(
                request,
                _(
                    "Left out, because they are switched off, closed or of an unknown "
                    "type: %(names)s"
                )
                % {"names": join_first(excluded)},
            )
        group_ids = [group.group_id for group in selected if group.is_usable]
        if not group_ids:
            return None
        request.session[SELECTED_GROUPS_KEY] = group_ids
        return redirect("admin:write")

    @admin.action(
        description=gettext_lazy("Put labels on the selected groups"),
        permissions=["change"],
    )
    def add_labels(
        self, request: HttpRequest, groups: QuerySet[ChatGroup]
    ) -> HttpResponse:
        return _redirect_to_labels("admin:labels_put", request)

    @admin.action(
        description=gettext_lazy("Take labels off the selected groups"),
        permissions=["change"],
    )
    def remove_labels(
        self, request: HttpRequest, groups: QuerySet[ChatGroup]
    ) -> HttpResponse:
        return _redirect_to_labels("admin:labels_take", request)

    @admin.action(description=gettext_lazy("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        selected = groups.count()
        n = groups_services.switch_off(
            require_permission(request, permissions.CHANGE_GROUPS),
            groups,
            filters=_filters(request),
        )
        message = ngettext("%(n)d group switched off.", "%(n)d groups switched off.", n)
        _report(request, message % {"n": n}, changed=n, unchanged=selected - n)

    @admin.action(description=gettext_lazy("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        selected = groups.count()
        n = groups_services.switch_on(
            require_permission(request, permissions.CHANGE_GROUPS),
            groups,
            filters=_filters(request),
        )
        message = ngettext("%(n)d group switched on.", "%(n)d groups switched on.", n)
        _report(request, message % {"n": n}, changed=n, unchanged=selected - n)


def _redirect_to_labels(name: str, request: HttpRequest) -> HttpResponse:
    """Redirect with the selected groups, or with the filter if all are selected."""
    selected = [int(pk) for pk in request.POST.getlist("_selected_action")]
    pks = selected if _filters(request) is None else None
    return redirect(reverse(name) + selection_query(GroupFilterForm(request.GET), pks))


def _filters(request: HttpRequest) -> dict[str, str] | None:
    """The filters of the list if all groups that match them are selected."""
    if request.POST.get("select_across") != "1":
        return None
    return GroupFilterForm(request.GET).active


def _too_many_message() -> SafeString:
    """The message for a selection that is too large: a rule selects it better."""
    return format_html(
        _(
            "More than %(n)s groups are not written to one by one. In "
            '<a href="{write}">Write</a>, choose them by a rule, or by an '
            '<a href="{audiences}">audience</a>.'
        )
        % {"n": f"{MAX_WRITE_BY_ID:,}"},
        write=reverse("admin:write"),
        audiences=reverse("admin:audiences"),
    )


def _report(
    request: HttpRequest, message: str, *, changed: int, unchanged: int
) -> None:
    """Report the result of an action; groups in another state are not changed."""
    if changed:
        messages.success(request, message)
    if unchanged:
        sentence = ngettext(
            "%(n)d group was left as it is.",
            "%(n)d groups were left as they are.",
            unchanged,
        )
        messages.info(request, sentence % {"n": unchanged})
