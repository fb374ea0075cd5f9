"""History: the notifications, and below them the deliveries. Nothing can be changed."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import roles
from notifications.models import ChatGroup, Delivery, Notification
from notifications.selectors.explanations import explain

from .display import badge, moment, two_lines

SEARCHED_GROUPS = 500


class ReadOnly(admin.ModelAdmin):
    """Seen with the permission for the history; changed by nobody."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(roles.SEE_HISTORY)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    list_display = ["message", "sent", "sender_name", "group_count", "result"]
    list_display_links = None
    list_filter = ["status"]
    search_fields = ["content", "note"]
    search_help_text = _("Search in the message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        visible = Notification.objects.visible_to(request.user.pk or 0)
        ended = {
            status: Count("deliveries", filter=Q(deliveries__status=status))
            for status in ("failed", "unconfirmed")
        }
        return visible.annotate(total=Count("deliveries"), **ended)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": _("Send history"), **(extra_context or {})}
        )

    @admin.display(description=_("Message"))
    def message(self, row: Notification) -> SafeString:
        is_draft = row.status == Notification.Status.DRAFT
        address = (
            reverse("admin:write_edit", args=[row.pk])
            if is_draft
            else row.get_absolute_url()
        )
        return format_html('<a class="clip" href="{}">{}</a>', address, row.content)

    @admin.display(description=_("Sent"))
    def sent(self, row: Notification) -> SafeString | str:
        return moment(row.sent_at)

    @admin.display(description=_("Calls"))
    def group_count(self, row: Any) -> int:
        return int(row.total)

    @admin.display(description=_("Result"))
    def result(self, row: Any) -> SafeString:
        parts = []
        if row.failed:
            parts.append(_("%(n)d failed") % {"n": row.failed})
        if row.unconfirmed:
            parts.append(_("%(n)d not confirmed") % {"n": row.unconfirmed})
        return format_html(
            '{}<span class="sub">{}</span>',
            badge(row.status, row.get_status_display()),
            ", ".join(str(part) for part in parts),
        )


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = ["when", "group", "message", "sender_name", "result"]
    list_display_links = ["when"]
    list_filter = ["status", "group_type"]
    search_fields = ["group_id", "group_name"]
    search_help_text = _("Search by group name or ID")
    list_select_related = ["notification"]
    change_form_template = "notifications/delivery.html"
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return Delivery.objects.history().select_related("notification")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Groups first: a small table, whose IDs an index of the history knows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = ChatGroup.objects.matching(term).values_list("group_id", flat=True)
        ids = [*found[:SEARCHED_GROUPS], term]
        return queryset.filter(Q(group_id__in=ids) | Q(group_name=term)), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": _("Deliveries"), **(extra_context or {})}
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        delivery = self.get_object(request, object_id)
        extra: dict[str, Any] = {}
        if delivery is not None and self.has_view_permission(request):
            extra = {
                "title": _("Delivery to %(group)s") % {"group": delivery.group_name},
                "subtitle": None,
                "delivery": delivery,
                "explanation": explain(delivery),
                "attempts": delivery.attempts.order_by("number"),
            }
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **extra}
        )

    @admin.display(description=_("Time"))
    def when(self, row: Delivery) -> SafeString | str:
        return moment(row.created_at)

    @admin.display(description=_("Group"))
    def group(self, row: Delivery) -> SafeString:
        return two_lines(
            row.group_name, f"{row.get_group_type_display()} · {row.group_id}"
        )

    @admin.display(description=_("Message"))
    def message(self, row: Delivery) -> SafeString:
        return format_html('<span class="clip">{}</span>', row.notification.content)

    @admin.display(description=_("Result"))
    def result(self, row: Delivery) -> SafeString:
        why = explain(row)
        return format_html(
            '{}<span class="sub">{}</span>',
            badge(row.status, row.get_status_display()),
            f"{why.mark} · {why.meaning}" if why else "",
        )
