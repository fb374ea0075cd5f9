"""Import of groups: choose a file, check the plan, confirm."""

import io
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
from notifications.groups.importing.parse import LABELS, UTF_8, open_file
from notifications.groups.importing.plan import ChangedGroup, Plan, plan
from notifications.models import GroupImport, GroupType
from notifications.ui.pages import page, require_permission

LIST = "admin:notifications_chatgroup_changelist"

MAX_LABELS = 20

TYPES = dict(GroupType.choices)


def choose(request: HttpRequest) -> HttpResponse:
    """First step: store a file for its preview."""
    user = _importer(request)
    form = GroupFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            pending = apply.store_pending(user, form.content, form.file_name)
        except ValidationError as error:
            form.add_error(form.source, error)
        else:
            return redirect("admin:group_import_check", pending.pk)
    return page(
        request,
        "notifications/groups/group_import.html",
        _("Import groups"),
        form=form,
        step=1,
        types=", ".join(TYPES),
    )


def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Second step: show the plan, and import the file on confirmation."""
    user = _importer(request)
    pending = GroupImport.objects.filter(pk=pk).first()
    if pending is None:
        return _no_longer_pending(request, apply.explain_missing(user, pk))
    if pending.owner_id != user.pk:
        raise Http404
    file = open_file(io.BytesIO(pending.content))
    if request.method == "POST":
        try:
            imported = apply.import_pending(
                user,
                pending,
                file,
                digest=request.POST.get("digest", ""),
                leave_out="leave_out" in request.POST,
            )
        except apply.NotPending as error:
            return _no_longer_pending(request, str(error))
        except apply.LinesRejected:
            pass  # the form below names the number of lines
        except ValidationError as error:
            for sentence in error.messages:
                messages.error(request, sentence)
            return redirect("admin:group_import_check", pk)
        else:
            messages.success(request, _done_message(imported))
            return redirect(LIST)
    preview = plan(file)
    form = GroupImportForm(
        request.POST if request.method == "POST" else None,
        initial={"digest": preview.digest},
        rejected=preview.rejected,
    )
    return page(
        request,
        "notifications/groups/group_import_check.html",
        _("Import groups"),
        form=form,
        step=2,
        pending=pending,
        plan=preview,
        encoding="" if file.encoding == UTF_8 else file.encoding,
        ignored=file.ignored,
        problems=preview.problems,
        more_problems=preview.errors - len(preview.problems),
        changed=[_changed_row(changed) for changed in preview.changed],
        more_changed=preview.updated - len(preview.changed),
        new=[(row, TYPES[row.type]) for row in preview.new],
        more_new=preview.added - len(preview.new),
        new_labels=preview.new_labels[:MAX_LABELS],
        more_labels=max(0, len(preview.new_labels) - MAX_LABELS),
        button=_button_label(preview),
    )


def _importer(request: HttpRequest) -> User:
    require_permission(request, permissions.ADD_GROUPS)
    return require_permission(request, permissions.CHANGE_GROUPS)


def _no_longer_pending(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.info(request, sentence)
    return redirect(LIST)


def _button_label(preview: Plan) -> str:
    """Empty if there is nothing to write."""
    if preview.written:
        sentence = ngettext(
            "Import %(n)d group", "Import %(n)d groups", preview.written
        )
        return sentence % {"n": preview.written}
    if preview.unchanged:
        n = preview.unchanged
        sentence = ngettext(
            "Mark %(n)d group as checked", "Mark %(n)d groups as checked", n
        )
        return sentence % {"n": n}
    return ""


def _done_message(applied: Plan) -> str:
    if applied.written:
        sentence = ngettext(
            "%(n)d group imported: %(new)d new, %(changed)d changed.",
            "%(n)d groups imported: %(new)d new, %(changed)d changed.",
            applied.written,
        )
        return sentence % {
            "n": applied.written,
            "new": applied.added,
            "changed": applied.updated,
        }
    n = applied.unchanged
    sentence = ngettext(
        "%(n)d group marked as checked; nothing else was changed.",
        "%(n)d groups marked as checked; nothing else was changed.",
        n,
    )
    return sentence % {"n": n}


def _changed_row(changed: ChangedGroup) -> dict[str, Any]:
    """Template context of a group that changes."""
    return {
        "name": changed.group.name,
        "group_id": changed.group.group_id,
        "differences": [
            (
                LABELS[each.column],
                _display(each.column, each.old),
                _display(each.column, each.new),
            )
            for each in changed.differences
        ],
    }


def _display(column: str, value: Any) -> str:
    if column == "type":
        return str(TYPES.get(value, value))
    if column == "member_count":
        return f"{value:,}"
    if column == "labels":
        return ", ".join(value) or pgettext("labels", "none")
    return str(value)
