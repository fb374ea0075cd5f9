"""Admin of roles: groups of permissions, each with its label."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Case, Count, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import permissions
from notifications.access.forms import RoleForm
from notifications.access.services import people
from notifications.ui.admin import TitledModelAdmin, labelled
from notifications.ui.fields import CheckboxList
from notifications.ui.made_from import SHOWN, ChangedSinceShown
from notifications.ui.pages import require_login, session_key

admin.site.unregister(Group)


class PermissionField(forms.ModelMultipleChoiceField):
    """The permissions that the console checks, each with its label."""

    def label_from_instance(self, obj: Permission) -> str:
        return permissions.permission_label(obj)


@admin.register(Group)
class RoleAdmin(TitledModelAdmin, GroupAdmin):
    requires_proof = True
    form = RoleForm
    list_title = _("Roles")
    add_title = _("Add a role")
    list_display = ["role_name", "may", "people"]
    search_fields = []
    actions = None  # a role is deleted on its own page
    filter_horizontal = []
    delete_confirmation_template = "notifications/access/role_delete.html"

    def row_title(self, row: Group) -> str:
        return permissions.role_label(row.name)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        roles: QuerySet[Group] = super().get_queryset(request)
        return (
            roles.annotate(people_count=Count("user"))
            .prefetch_related("permissions__content_type")
            .order_by("name")
        )

    def formfield_for_manytomany(
        self, db_field: Any, request: Any, **kwargs: Any
    ) -> Any:
        if db_field.name != "permissions":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        ids = [
            permission.pk
            for permission in permissions.permission_rows(permissions.ALL_PERMISSIONS)
        ]
        positions = [
            When(pk=pk, then=Value(position)) for position, pk in enumerate(ids)
        ]
        return PermissionField(
            Permission.objects.filter(pk__in=ids)
            .select_related("content_type")
            .order_by(Case(*positions)),
            label=_("People with this role"),
            widget=CheckboxList(_("People with this role")),
            required=False,
        )

    def save_model(
        self, request: HttpRequest, obj: Group, form: Any, change: bool
    ) -> None:
        user = require_login(request)
        permission = "auth.change_group" if change else "auth.add_group"
        form.before = people.begin_role(user, permission, obj.pk)
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        people.record_role(
            require_login(request),
            form.instance.pk,
            form.before,
            present=session_key(request),
        )

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ChangedSinceShown as error:
            messages.warning(request, error.messages[0])
            return redirect("admin:auth_group_delete", object_id)

    def render_delete_form(
        self, request: HttpRequest, context: dict[str, Any]
    ) -> HttpResponse:
        context["shown"] = people.role_shown(context["object"].pk)
        return super().render_delete_form(request, context)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        people.delete_role(
            require_login(request),
            obj.pk,
            present=session_key(request),
            shown=request.POST.get(SHOWN, ""),
        )

    @admin.display(description=_("Role"), ordering="name")
    def role_name(self, role: Group) -> str:
        return permissions.role_label(role.name)

    @admin.display(description=_("What it allows"))
    def may(self, role: Group) -> SafeString | str:
        names = {permissions.full_name(row) for row in role.permissions.all()}
        labels = [
            [label]
            for name, label in permissions.PERMISSION_LABELS.items()
            if name in names
        ]
        return format_html_join("", "<div>{}</div>", labels) or "–"

    @admin.display(description=_("People"))
    def people(self, role: Any) -> SafeString:
        return labelled(_("People"), str(role.people_count))
