"""Base classes of the model admins, and helpers for their cells."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.ui.pages import require_recent_proof


class ConsoleModelAdmin(admin.ModelAdmin):
    """Labels without a colon; no history view, since the audit trail replaces it."""

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Reject lookups in the query; only the search and the declared filters work.

        With Django's default, keys of related rows, for example of a user's sessions,
        can be guessed letter by letter.
        """
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = super().changeform_view
        try:
            return view(request, object_id, form_url, extra_context)
        except (IntegrityError, ValidationError):
            # If another request has just added a row of this name, the form says so.
            return view(request, object_id, form_url, extra_context)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The row; locked while a form is saved, so that it is the row that was saved
        last, and nothing changes it before the end of the transaction.
        """
        row = super().get_object(request, object_id, from_field)
        if row is None or request.method != "POST" or not connection.in_atomic_block:
            return row
        self.lock_row(request, row.pk)
        return super().get_object(request, object_id, from_field)

    def lock_row(self, _request: HttpRequest, pk: int) -> None:
        # Without the key: other rows may still refer to this one.
        rows = self.model._default_manager.filter(pk=pk)
        list(rows.select_for_update(no_key=True).values("pk"))

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.is_change = change  # of ``MadeFromForm``
        return form

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        raise Http404

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["adminform"].form.label_suffix = ""
        return super().render_change_form(request, context, *args, **kwargs)


class TitledModelAdmin(ConsoleModelAdmin):
    """Set titles of the list and the add page; ``row_title`` is that of a row's page."""

    list_title: ClassVar[object]
    add_title: ClassVar[object]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # Whether a person must have proved recently who it is, to add, change or delete.
    requires_proof: ClassVar[bool] = False

    def row_title(self, row: Any) -> str:
        return str(row)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        titles = {"title": self.list_title, "add_label": self.add_title}
        return super().changelist_view(request, titles | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        if self.requires_proof and (
            self.has_change_permission(request, row)
            if object_id
            else self.has_add_permission(request)
        ):
            require_recent_proof(request)
        context = {
            "title": self.row_title(row) if row else self.add_title,
            "subtitle": None,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "list_title": self.list_title,
        }
        return super().changeform_view(
            request, object_id, form_url, context | (extra_context or {})
        )

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if self.requires_proof and self.has_delete_permission(request):
            require_recent_proof(request)
        return super().delete_view(request, object_id, extra_context)


def badge(state: str, label: object) -> SafeString:
    """A state as text, shape and colour."""
    return format_html('<span class="badge s-{}">{}</span>', state, label)


def two_lines(main: str, sub: str) -> SafeString:
    return format_html(
        '<span class="main">{}</span><span class="sub code">{}</span>', main, sub
    )


def labelled(label: object, value: object) -> SafeString:
    """A cell with its own label, for narrow screens, which hide the headings."""
    return format_html('<span class="cell-label">{}</span> {}', label, value)
