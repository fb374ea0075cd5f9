"""Shared by the admin's lists and forms: titles, labels, cells."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString


class ConsoleModelAdmin(admin.ModelAdmin):
    """Labels as on the pages of our own: without a colon; no history but our own."""

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """No address asks anything of rows but the search and filters of our own.

        Django lets keys of related rows be guessed letter by letter, for example those
        of a person's sessions.
        """
        return False

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        raise Http404  # what the admin wrote down of a row: the audit trail has it all

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["adminform"].form.label_suffix = ""
        return super().render_change_form(request, context, *args, **kwargs)


class TitledModelAdmin(ConsoleModelAdmin):
    """``list_title`` and ``add_title``; a row's own page bears its name."""

    list_title: ClassVar[object]
    add_title: ClassVar[object]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def row_title(self, row: Any) -> str:
        return str(row)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        words = {"title": self.list_title, "add_label": self.add_title}
        return super().changelist_view(request, words | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        words = {
            "title": self.row_title(row) if row else self.add_title,
            "subtitle": None,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "list_title": self.list_title,
        }
        return super().changeform_view(
            request, object_id, form_url, words | (extra_context or {})
        )


def badge(state: str, label: object) -> SafeString:
    """A state as word, shape and colour."""
    return format_html('<span class="badge s-{}">{}</span>', state, label)


def two_lines(main: str, sub: str) -> SafeString:
    return format_html(
        '<span class="main">{}</span><span class="sub code">{}</span>', main, sub
    )


def labelled(label: object, value: object) -> SafeString:
    """A cell that says what it is where a phone shows no headings."""
    return format_html('<span class="cell-label">{}</span> {}', label, value)
