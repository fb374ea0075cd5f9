"""Pages of the sync: the latest runs, one run with its changes, request and stop."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.delivery.heartbeat import has_live_worker
from notifications.groups.sync import queries as sync_queries
from notifications.groups.sync.presentation import (
    change_line,
    explain_failure,
    headline,
    summary,
)
from notifications.groups.sync.services import request_sync, stop_sync
from notifications.models import GroupSync, SyncChange
from notifications.ui.dates import moment
from notifications.ui.filters import FilterForm, OneOf
from notifications.ui.lists import count_of, list_context, list_position, queryset_page
from notifications.ui.pages import page, require_permission


class SyncFilterForm(FilterForm):
    kind = OneOf(gettext_lazy("What"), SyncChange.Kind.choices)


@require_safe
def syncs(request: HttpRequest) -> HttpResponse:
    """The latest runs; the open one with its progress."""
    require_permission(request, permissions.SEE_GROUPS)
    runs = sync_queries.latest_runs()
    counts = sync_queries.change_counts_by_sync(runs)
    open_run = next((run for run in runs if not run.has_ended), None)
    status_context = _status_context(request, open_run) if open_run else {}
    return page(
        request,
        "notifications/groups/syncs.html",
        _("Chat groups"),
        rows=[(run, summary(run, counts[run.pk])) for run in runs],
        **{"may_sync": _may_sync(request), **status_context},
    )


@require_safe
def sync(request: HttpRequest, pk: int) -> HttpResponse:
    """One run with all its changes."""
    require_permission(request, permissions.SEE_GROUPS)
    run = get_object_or_404(GroupSync, pk=pk)
    form = SyncFilterForm(request.GET)
    rows = sync_queries.changes_of(run, form.value("kind"))
    position = list_position(request)
    changes = queryset_page(rows, before=position["before"], after=position["after"])
    return page(
        request,
        "notifications/groups/sync.html",
        _("Sync of %(time)s") % {"time": moment(run.created_at)},
        rows=[(change, change_line(change)) for change in changes.rows],
        are_changes_stored=bool(changes.rows)
        or sync_queries.are_changes_available(run),
        **_status_context(request, run),
        **list_context(form, position, changes, count_of(rows, changes)),
    )


@require_safe
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """The status of a run, for the script that refreshes it."""
    require_permission(request, permissions.SEE_GROUPS)
    run = get_object_or_404(GroupSync, pk=pk)
    # The changes are not included: a link to them is shown when the run has ended.
    context = {**_status_context(request, run), "is_refreshed": True}
    response = render(request, "notifications/groups/_sync.html", context)
    if run.has_ended:
        response["X-Done"] = "1"
    return response


@require_POST
def request_now(request: HttpRequest) -> HttpResponse:
    user = require_permission(request, permissions.CHANGE_GROUPS)
    return redirect("admin:sync", request_sync(user).pk)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_permission(request, permissions.CHANGE_GROUPS)
    run = get_object_or_404(GroupSync, pk=pk)
    try:
        stop_sync(user, run.pk)
    except ValidationError as error:
        for sentence in error.messages:
            messages.warning(request, sentence)
    return redirect("admin:sync", run.pk)


def _may_sync(request: HttpRequest) -> bool:
    return request.user.has_perms([permissions.ADD_GROUPS, permissions.CHANGE_GROUPS])


def _status_context(request: HttpRequest, run: GroupSync) -> dict[str, object]:
    """Context of ``_sync.html``."""
    progress = None if run.has_ended else sync_queries.progress_of(run)
    has_worker = run.has_ended or has_live_worker()
    return {
        "run": run,
        "progress": progress,
        "headline": headline(run, progress, has_worker=has_worker),
        "summary": summary(run, sync_queries.change_counts(run)),
        "failure": explain_failure(run),
        "may_sync": _may_sync(request),
    }
