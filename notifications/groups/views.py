"""Pages of the labels, and the download of the list of chat groups."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.groups import labels as groups_labels
from notifications.groups import queries as groups_queries
from notifications.groups.export import download_groups
from notifications.groups.filters import GroupFilterForm, GroupSelection, selection_of
from notifications.groups.forms import LabelChoice, LabelName, LabelRemoval
from notifications.models import ChatGroup, Label
from notifications.ui.downloads import as_file, nothing_downloaded
from notifications.ui.pages import page, require_permission

PER_PAGE = 100


@require_safe
def labels(request: HttpRequest) -> HttpResponse:
    """All labels, by name, with how many groups have each."""
    user = require_permission(request, permissions.SEE_GROUPS)
    every = Label.objects.order_by("name")
    shown = Paginator(every, PER_PAGE).get_page(request.GET.get("page"))
    counts = groups_queries.group_counts(shown)
    return page(
        request,
        "notifications/groups/labels.html",
        _("Labels"),
        rows=shown,
        counted=[(label, counts.get(label.pk, 0)) for label in shown],
        may_change=user.has_perm(permissions.CHANGE_GROUPS),
    )


def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Another name for a label."""
    user = require_permission(request, permissions.CHANGE_GROUPS)
    label = get_object_or_404(Label, pk=pk)
    form = LabelName(request.POST if request.method == "POST" else None)
    form.initial = {"name": label.name}
    if request.method == "POST" and form.is_valid():
        try:
            renamed = groups_labels.rename(user, pk, form.cleaned_data["name"])
        except ValidationError as error:
            form.add_error("name", error)
        else:
            said = _("The label is called “%(name)s” now.") % {"name": renamed.name}
            messages.success(request, said)
            return redirect("admin:labels")
    return page(
        request,
        "notifications/groups/label_rename.html",
        _("Rename the label “%(name)s”") % {"name": label.name},
        form=form,
    )


def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first; a label that an audience asks for stays."""
    user = require_permission(request, permissions.CHANGE_GROUPS)
    label = get_object_or_404(Label, pk=pk)
    if request.method == "POST":
        try:
            groups_labels.delete(user, pk)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            said = _("The label “%(name)s” is deleted.") % {"name": label.name}
            messages.success(request, said)
        return redirect("admin:labels")
    return page(
        request,
        "notifications/groups/label_delete.html",
        _("Delete the label “%(name)s”?") % {"name": label.name},
        count=label.groups.count(),
        audiences=groups_labels.audiences_with(label.name),
    )


def add_to_groups(request: HttpRequest) -> HttpResponse:
    """Put labels on the groups that the address means."""

    def form(data: Any, _groups: GroupSelection) -> LabelChoice:
        return LabelChoice(data)

    def done(count: int) -> str:
        return ngettext(
            "Labels put on %(n)s group.", "Labels put on %(n)s groups.", count
        ) % {"n": f"{count:,}"}

    left = _("%(n)s had these labels already.")
    return _on_many(
        request, _("Put labels on groups"), form, groups_labels.add_labels, done, left
    )


def remove_from_groups(request: HttpRequest) -> HttpResponse:
    """Take labels off the groups that the address means."""

    def form(data: Any, groups: GroupSelection) -> LabelRemoval:
        return LabelRemoval(data, had=groups_queries.labels_of(groups.groups))

    def done(count: int) -> str:
        return ngettext(
            "Labels taken off %(n)s group.", "Labels taken off %(n)s groups.", count
        ) % {"n": f"{count:,}"}

    left = _("%(n)s had none of these labels.")
    return _on_many(
        request,
        _("Take labels off groups"),
        form,
        groups_labels.remove_labels,
        done,
        left,
    )


def _on_many(
    request: HttpRequest,
    title: str,
    make_form: Callable[[Any, GroupSelection], LabelChoice | LabelRemoval],
    act: Callable[..., int],
    done: Callable[[int], str],
    left: str,
) -> HttpResponse:
    """``left`` says how many groups there was nothing to do for."""
    user = require_permission(request, permissions.CHANGE_GROUPS)
    groups = selection_of(request.GET)
    if groups is None:
        return redirect("admin:notifications_chatgroup_changelist")
    form = make_form(request.POST if request.method == "POST" else None, groups)
    if request.method == "POST" and form.is_valid():
        try:
            changed = act(user, groups.groups, form.names())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if changed:
                messages.success(request, done(changed))
            if unchanged := groups.count - changed:
                messages.info(request, left % {"n": f"{unchanged:,}"})
            return redirect(_list(groups))
    return page(
        request,
        "notifications/groups/labels_on_groups.html",
        title,
        form=form,
        meant=groups,
        back=_list(groups),
    )


def _list(groups: GroupSelection) -> str:
    return reverse("admin:notifications_chatgroup_changelist") + groups.query


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    user = require_permission(request, permissions.SEE_GROUPS)
    form = GroupFilterForm(request.POST)
    if form.errors:
        return nothing_downloaded(
            request, form, "admin:notifications_chatgroup_changelist"
        )
    groups = form.apply(ChatGroup.objects.all())
    file = download_groups(user, groups, filters=form.active)
    return as_file(file, file.name, file.content_type)
