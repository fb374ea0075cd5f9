"""Importing groups: choose a file, look at what it would change, import it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from notifications import permissions
from notifications.groups.importing import apply
from notifications.groups.importing.forms import GroupFileForm, GroupImportForm
from notifications.groups.importing.parse import LABELS, UTF_8
from notifications.groups.importing.plan import Changed, Plan, plan
from notifications.groups.importing.rows import parse_rows
from notifications.models import GroupImport, GroupType
from notifications.ui.pages import page, require_permission

LIST = "admin:notifications_chatgroup_changelist"

SHOWN = 200  # of each kind of line

LABELS_SHOWN = 20

TYPES = dict(GroupType.choices)


def choose(request: HttpRequest) -> HttpResponse:
    """The first step. Nothing about the groups changes."""
    user = _importer(request)
    form = GroupFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            kept = apply.store_pending(user, form.content, form.file_name)
        except ValidationError as error:
            form.add_error(form.source, error)
        else:
            return redirect("admin:group_import_check", kept.pk)
    return page(
        request,
        "notifications/groups/group_import.html",
        _("Import groups"),
        form=form,
        step=1,
        types=", ".join(TYPES),
    )


def check(request: HttpRequest, pk: int) -> HttpResponse:
    """The second step: what the file would change, and the button that does it."""
    user = _importer(request)
    kept = GroupImport.objects.filter(pk=pk).first()
    if kept is None:
        return _not_waiting(request, apply.already_imported(user, pk))
    if kept.owner_id != user.pk:
        raise Http404
    reading = parse_rows(bytes(kept.content))
    made = plan(reading)
    form = _confirm_form(request, made)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            done = apply.import_pending(
                user,
                kept,
                reading,
                seen=data["digest"],
                leave_out=data.get("leave_out", False),
            )
        except apply.NotPending as error:
            return _not_waiting(request, str(error))
        except ValidationError as error:
            for sentence in error.messages:
                messages.error(request, sentence)
            return redirect("admin:group_import_check", pk)
        messages.success(request, _done(done))
        return redirect(LIST)
    return page(
        request,
        "notifications/groups/group_import_check.html",
        _("Import groups"),
        form=form,
        step=2,
        kept=kept,
        plan=made,
        encoding="" if reading.encoding == UTF_8 else reading.encoding,
        ignored=reading.ignored,
        problems=made.problems[:SHOWN],
        more_problems=max(0, len(made.problems) - SHOWN),
        changed=[_told(changed) for changed in made.changed[:SHOWN]],
        more_changed=max(0, len(made.changed) - SHOWN),
        new=[(row, TYPES[row.type]) for row in made.new[:SHOWN]],
        more_new=max(0, len(made.new) - SHOWN),
        new_labels=made.new_labels[:LABELS_SHOWN],
        more_labels=max(0, len(made.new_labels) - LABELS_SHOWN),
        button=_button(made),
    )


def _importer(request: HttpRequest) -> User:
    require_permission(request, permissions.ADD_GROUPS)
    return require_permission(request, permissions.CHANGE_GROUPS)


def _confirm_form(request: HttpRequest, made: Plan) -> GroupImportForm:
    return GroupImportForm(
        request.POST if request.method == "POST" else None,
        initial={"digest": made.digest},
        rejected=made.rejected,
    )


def _not_waiting(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.info(request, sentence)
    return redirect(LIST)


def _button(made: Plan) -> str:
    """Empty where there is nothing to write."""
    if made.written:
        sentence = ngettext("Import %(n)d group", "Import %(n)d groups", made.written)
        return sentence % {"n": made.written}
    if made.unchanged:
        n = len(made.unchanged)
        sentence = ngettext(
            "Mark %(n)d group as checked", "Mark %(n)d groups as checked", n
        )
        return sentence % {"n": n}
    return ""


def _done(made: Plan) -> str:
    if made.written:
        sentence = ngettext(
            "%(n)d group imported: %(new)d new, %(changed)d changed.",
            "%(n)d groups imported: %(new)d new, %(changed)d changed.",
            made.written,
        )
        return sentence % {
            "n": made.written,
            "new": len(made.new),
            "changed": len(made.changed),
        }
    n = len(made.unchanged)
    sentence = ngettext(
        "%(n)d group marked as checked; nothing else was changed.",
        "%(n)d groups marked as checked; nothing else was changed.",
        n,
    )
    return sentence % {"n": n}


def _told(changed: Changed) -> dict[str, Any]:
    """A group that changes, in words."""
    return {
        "line": changed.row.line,
        "name": changed.group.name,
        "group_id": changed.group.group_id,
        "differences": [
            (
                LABELS[found.column],
                _words(found.column, found.old),
                _words(found.column, found.new),
            )
            for found in changed.differences
        ],
    }


def _words(column: str, value: Any) -> str:
    if column == "type":
        return str(TYPES.get(value, value))
    if column == "member_count":
        return f"{value:,}"
    if column == "labels":
        return ", ".join(value) or pgettext("labels", "none")
    return str(value)
