"""Admin of people: who may log in, and with which roles."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications import approvals, permissions
from notifications.access.forms import NewPersonForm, PersonForm
from notifications.access.queries import (
    has_second_factor,
    open_sessions,
    uses_single_sign_on,
)
from notifications.access.services import people, protected_changes
from notifications.access.views.people import make_link
from notifications.ui.admin import TitledModelAdmin, badge, labelled, two_lines
from notifications.ui.dates import time_cell
from notifications.ui.fields import CheckboxList
from notifications.ui.pages import require_login, session_key

admin.site.unregister(User)

# People manage their own second factor on its pages; no page of the admin shows its key.
admin.site.unregister(
    [Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken]
)


class RoleField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Group) -> str:
        return permissions.role_label(obj.name)


@admin.register(User)
class PersonAdmin(TitledModelAdmin, UserAdmin):
    requires_proof = True
    list_title = _("People")
    add_title = _("Add a person")
    list_display = ["name", "roles", "state", "second_factor", "last_seen"]
    list_filter = []
    search_help_text = _("Search by name")
    ordering = ["username"]
    actions = None
    filter_horizontal = []
    form = PersonForm
    add_form = NewPersonForm
    add_form_template = "admin/change_form.html"
    fieldsets = [
        (None, {"fields": ["username", "password_link", "lost_factor"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Rights"), {"fields": ["is_active", "groups", "is_superuser"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Rights"), {"fields": ["groups"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people: QuerySet[User] = super().get_queryset(request)
        return people.prefetch_related("groups").annotate(
            has_second_factor=has_second_factor()
        )

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        """People administrators can change neither themselves nor a superuser."""
        allowed = super().has_change_permission(request, obj)
        if obj is None or request.user.is_superuser:
            return allowed
        return allowed and not obj.is_superuser and obj.pk != request.user.pk

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return False  # the history refers to people: deactivate them instead

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[str]:
        fields = ["password_link", "lost_factor"]
        if obj is not None and obj.pk == request.user.pk:
            fields.append("email")  # the own one is changed on the page Account
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (person := kwargs.get("obj")) is not None:
            context["open_sessions"] = open_sessions([person.pk]).count()
            me = request.user.pk
            context["changes"] = [
                (
                    row,
                    approvals.kind_label(row.kind),
                    row.is_open,
                    me not in (row.requested_by_id, person.pk),
                )
                for row in protected_changes.of_person(person.pk)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"requests": approvals.pending(), **(extra_context or {})}
        )

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        overrides: dict[str, dict[str, object]] = {
            "username": {"help_text": _("The name to log in with.")},
            "is_active": {
                "label": _("May log in"),
                "help_text": _("People are not deleted: the history names them."),
            },
            "is_superuser": {
                "label": _("May do everything"),
                "help_text": _("Without any role, and also what comes later."),
            },
        }
        field: Any = super().formfield_for_dbfield(
            db_field, request, **kwargs | overrides.get(db_field.name, {})
        )
        if db_field.name == "groups":
            field.widget.can_add_related = False  # roles are added on their own page
        return field

    def formfield_for_manytomany(
        self, db_field: Any, request: Any, **kwargs: Any
    ) -> Any:
        if db_field.name == "groups":
            kwargs |= {
                "form_class": RoleField,
                "label": _("Roles"),
                "widget": CheckboxList(_("Roles")),
                "help_text": _("The page Roles says what each of them may do."),
            }
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def lock_row(self, request: HttpRequest, pk: int) -> None:
        # The form may give any role. Both people at once, in their order: two people may
        # change each other.
        permissions.lock_roles()
        permissions.lock_people([require_login(request).pk, pk])

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        # Django's admin admits staff only; here every account may use the console.
        obj.is_staff = True
        user = require_login(request)
        form.before = people.begin_person(user, obj)
        if form.before is None:
            obj.set_unusable_password()
        elif obj.email != form.before["email"]:
            form.new_email, obj.email = obj.email, form.before["email"]
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        people.record_person(
            require_login(request).get_username(),
            form.instance.pk,
            form.before,
            present=session_key(request),
        )
        if hasattr(form, "new_email"):
            self._change_address(request, form)

    def _change_address(self, request: HttpRequest, form: Any) -> None:
        """Separately, since a second administrator may have to approve it."""
        user, person = require_login(request), form.instance
        try:
            approval = protected_changes.change_address(
                user, person, person.email, form.new_email
            )
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return
        if approval.status == approval.Status.PENDING:
            messages.info(
                request,
                _(
                    "The new email address counts when a second administrator approves it."
                ),
            )

    def get_urls(self) -> list[Any]:
        """Without the page that sets a person's password: the person sets it by a link."""
        unused = "auth_user_password_change"
        return [url for url in super().get_urls() if url.name != unused]

    def response_add(
        self, request: HttpRequest, obj: User, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The person sets the password by a link."""
        messages.success(
            request,
            _("The person %(person)s is added.") % {"person": obj.get_username()},
        )
        return make_link(request, require_login(request), obj)

    @admin.display(description=pgettext_lazy("person", "Name"), ordering="username")
    def name(self, person: User) -> SafeString:
        return two_lines(person.get_full_name() or person.username, person.username)

    @admin.display(description=_("Roles"))
    def roles(self, person: User) -> SafeString:
        names = [permissions.role_label(role.name) for role in person.groups.all()]
        if person.is_superuser:
            names.insert(0, str(_("May do everything")))
        return labelled(_("Roles"), ", ".join(sorted(names)) or "–")

    @admin.display(description=_("State"), ordering="is_active")
    def state(self, person: User) -> SafeString:
        if person.is_active:
            return badge("in_use", _("May log in"))
        return badge("switched_off", _("Switched off"))

    @admin.display(description=_("Second factor"))
    def second_factor(self, person: Any) -> SafeString:
        return labelled(
            _("Second factor"), _("Set up") if person.has_second_factor else "–"
        )

    @admin.display(description=_("Second factor"))
    def lost_factor(self, person: Any) -> SafeString | str:
        if not person.has_second_factor:
            return "–"
        address = reverse("admin:auth_user_second_factor", args=[person.pk])
        return format_html('<a href="{}">{}</a>', address, _("Remove, if it is lost"))

    @admin.display(description=_("Last login"), ordering="last_login")
    def last_seen(self, person: User) -> SafeString:
        return labelled(_("Last login"), time_cell(person.last_login))

    @admin.display(description=_("Password"))
    def password_link(self, person: User) -> SafeString | str:
        if uses_single_sign_on(person):
            return str(_("None: logs in by single sign-on"))
        address = reverse("admin:person_password_link", args=[person.pk])
        return format_html(
            '<a href="{}">{}</a>', address, _("Make a link for a new one")
        )
