"""Pages of labels, and the download of the list of chat groups."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.groups import labels as groups_labels
from notifications.groups import queries as groups_queries
from notifications.groups.export import download_groups
from notifications.groups.filters import GroupFilterForm, selection_of
from notifications.groups.forms import LabelChoice, LabelName, LabelRemoval
from notifications.models import ChatGroup, Label
from notifications.ui.downloads import as_file, reject_download
from notifications.ui.made_from import (
    SHOWN,
    ChangedSinceShown,
    fingerprint,
    refuse_old_page,
)
from notifications.ui.pages import page, require_permission

PER_PAGE = 100

LIST = "admin:notifications_chatgroup_changelist"


@require_safe
def labels(request: HttpRequest) -> HttpResponse:
    """All labels, ordered by name, with their numbers of groups."""
    user = require_permission(request, permissions.SEE_GROUPS)
    paginator = Paginator(Label.objects.order_by("name"), PER_PAGE)
    rows = paginator.get_page(request.GET.get("page"))
    counts = groups_queries.group_counts(rows)
    return page(
        request,
        "notifications/groups/labels.html",
        _("Labels"),
        rows=rows,
        label_counts=[(label, counts.get(label.pk, 0)) for label in rows],
        may_change=user.has_perm(permissions.CHANGE_GROUPS),
    )


def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a label."""
    user = require_permission(request, permissions.CHANGE_GROUPS)
    label = get_object_or_404(Label, pk=pk)
    data = request.POST.copy() if request.method == "POST" else None
    form = LabelName(data)
    form.initial = {"name": label.name, "before": label.name}
    if data is not None and form.is_valid():
        shown = form.cleaned_data["before"]
        data["before"] = label.name  # for the page that shows an error
        try:
            renamed = groups_labels.rename(
                user, pk, form.cleaned_data["name"], shown=shown
            )
        except Label.DoesNotExist:
            raise Http404 from None
        except ValidationError as error:
            form.add_error("name", error)
        else:
            message = _("The label is called “%(name)s” now.") % {"name": renamed.name}
            messages.success(request, message)
            return redirect("admin:labels")
    return page(
        request,
        "notifications/groups/label_rename.html",
        _("Rename the label “%(name)s”") % {"name": label.name},
        form=form,
    )


def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a label after confirmation, unless a saved audience uses it."""
    user = require_permission(request, permissions.CHANGE_GROUPS)
    label = get_object_or_404(Label, pk=pk)
    if request.method == "POST":
        try:
            groups_labels.delete(user, pk, shown=request.POST.get(SHOWN, ""))
        except Label.DoesNotExist:
            raise Http404 from None
        except ChangedSinceShown as error:
            messages.warning(request, error.messages[0])
            return redirect("admin:label_delete", pk)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            message = _("The label “%(name)s” is deleted.") % {"name": label.name}
            messages.success(request, message)
        return redirect("admin:labels")
    return page(
        request,
        "notifications/groups/label_delete.html",
        _("Delete the label “%(name)s”?") % {"name": label.name},
        count=label.groups.count(),
        shown=groups_labels.label_shown(label),
        audiences=groups_labels.audiences_with(label.name),
    )


def add_to_groups(request: HttpRequest) -> HttpResponse:
    """Add labels to the groups that the query string selects."""

    def make_form(data: Any, _groups: QuerySet[ChatGroup]) -> LabelChoice:
        return LabelChoice(data)

    def message(count: int) -> str:
        return ngettext(
            "Labels put on %(n)s group.", "Labels put on %(n)s groups.", count
        ) % {"n": f"{count:,}"}

    return _change_labels(
        request,
        _("Put labels on groups"),
        make_form,
        groups_labels.add_labels,
        message,
        _("%(n)s had these labels already."),
    )


def remove_from_groups(request: HttpRequest) -> HttpResponse:
    """Remove labels from the groups that the query string selects."""

    def make_form(data: Any, groups: QuerySet[ChatGroup]) -> LabelRemoval:
        return LabelRemoval(data, label_counts=groups_queries.label_counts(groups))

    def message(count: int) -> str:
        return ngettext(
            "Labels taken off %(n)s group.", "Labels taken off %(n)s groups.", count
        ) % {"n": f"{count:,}"}

    return _change_labels(
        request,
        _("Take labels off groups"),
        make_form,
        groups_labels.remove_labels,
        message,
        _("%(n)s had none of these labels."),
    )


def _change_labels(
    request: HttpRequest,
    title: str,
    make_form: Callable[[Any, QuerySet[ChatGroup]], LabelChoice | LabelRemoval],
    change: Callable[..., int],
    message: Callable[[int], str],
    unchanged_message: str,
) -> HttpResponse:
    user = require_permission(request, permissions.CHANGE_GROUPS)
    selection = selection_of(request.GET)
    if selection is None:
        return redirect(LIST)
    back = reverse(LIST) + selection.query
    data = request.POST if request.method == "POST" else None
    form = make_form(data, selection.groups)
    if request.method == "POST" and form.is_valid():
        try:
            refuse_old_page(request.POST.get(SHOWN, ""), selection.count)
            changed = change(
                user, selection.groups, form.names(), filters=selection.filters
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if changed:
                messages.success(request, message(changed))
            if unchanged := selection.count - changed:
                messages.info(request, unchanged_message % {"n": f"{unchanged:,}"})
            return redirect(back)
    return page(
        request,
        "notifications/groups/labels_on_groups.html",
        title,
        form=form,
        selection=selection,
        shown=fingerprint(selection.count),
        back=back,
    )


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    user = require_permission(request, permissions.SEE_GROUPS)
    form = GroupFilterForm(request.POST)
    if form.errors:
        return reject_download(request, form, LIST)
    groups = form.apply(ChatGroup.objects.all())
    file = download_groups(user, groups, filters=form.active)
    return as_file(file, file.name, file.content_type)
