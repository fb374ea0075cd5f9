"""Groups: the list of chat groups, and one group."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import roles
from notifications.models import ChatGroup, Delivery
from notifications.views.write import CHOSEN

from .display import badge, moment, two_lines


@admin.register(ChatGroup)
class ChatGroupAdmin(admin.ModelAdmin):
    list_display = ["title_and_id", "type", "member_count", "last_sent", "state_badge"]
    list_filter = ["type", "state"]
    search_fields = ["name", "group_id"]
    search_help_text = _("Search by name or group ID")
    list_per_page = 50
    show_full_result_count = False
    fields = ["group_id", "name", "type", "member_count", "state"]
    actions = ["write_to", "switch_off", "switch_on"]

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
        obj.checked_at = timezone.now()
        super().save_model(request, obj, form, change)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.SEND)

    @admin.display(description=_("Group"), ordering="name")
    def title_and_id(self, group: ChatGroup) -> SafeString:
        return two_lines(group.name, group.group_id)

    @admin.display(description=_("Last notification"))
    def last_sent(self, group: Any) -> SafeString | str:
        return moment(group.last_sent_at)

    @admin.display(description=_("State"), ordering="state")
    def state_badge(self, group: ChatGroup) -> SafeString:
        return badge(group.state, group.get_state_display())

    @admin.action(
        description=_("Write a notification to the selected groups"),
        permissions=["send"],
    )
    def write_to(
        self, request: HttpRequest, groups: QuerySet[ChatGroup]
    ) -> HttpResponse:
        in_use = groups.filter(state=ChatGroup.State.IN_USE)
        request.session[CHOSEN] = list(in_use.values_list("group_id", flat=True))
        return redirect("admin:write")

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        groups.order_by().update(state=ChatGroup.State.SWITCHED_OFF)

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, groups: QuerySet[ChatGroup]) -> None:
        groups.order_by().update(state=ChatGroup.State.IN_USE)
