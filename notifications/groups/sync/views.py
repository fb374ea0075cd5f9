"""Pages of the syncs: the latest ones, one with its changes, request and stop."""

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
    headline,
    summary,
    why_it_failed,
)
from notifications.groups.sync.services import request_sync, stop_sync
from notifications.models import GroupSync, SyncChange
from notifications.ui.dates import moment
from notifications.ui.filters import FilterForm, OneOf
from notifications.ui.lists import count_of, list_context, place
from notifications.ui.lists import page as page_of_rows
from notifications.ui.pages import page, require_permission


class SyncFilterForm(FilterForm):
    kind = OneOf(gettext_lazy("What"), SyncChange.Kind.choices)


@require_safe
def syncs(request: HttpRequest) -> HttpResponse:
    """The last runs; the open one with its progress."""
    require_permission(request, permissions.SEE_GROUPS)
    runs = sync_queries.latest()
    counts = sync_queries.counts_of_all(runs)
    shown = next((run for run in runs if not run.has_ended), None)
    live = _live(request, shown) if shown else {}
    return page(
        request,
        "notifications/groups/syncs.html",
        _("Chat groups"),
        rows=[(run, summary(run, counts[run.pk])) for run in runs],
        **{"may_sync": _may_sync(request), **live},
    )


@require_safe
def sync(request: HttpRequest, pk: int) -> HttpResponse:
    """One run, and every change that it made."""
    require_permission(request, permissions.SEE_GROUPS)
    run = get_object_or_404(GroupSync, pk=pk)
    form = SyncFilterForm(request.GET)
    rows = sync_queries.changes_of(run, form.given("kind"))
    here = place(request)
    shown = page_of_rows(rows, before=here["before"], after=here["after"])
    return page(
        request,
        "notifications/groups/sync.html",
        _("Sync of %(time)s") % {"time": moment(run.created_at)},
        rows=[(change, change_line(change)) for change in shown.rows],
        are_kept=bool(shown.rows) or sync_queries.are_changes_available(run),
        **_live(request, run),
        **list_context(form, here, shown, count_of(rows, shown)),
    )


@require_safe
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes, for the script that keeps it fresh."""
    require_permission(request, permissions.SEE_GROUPS)
    run = get_object_or_404(GroupSync, pk=pk)
    # The list of changes is not part of it: it is linked when the run has ended.
    context = {**_live(request, run), "is_fresh": True}
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


def _live(request: HttpRequest, run: GroupSync) -> dict[str, object]:
    """What the part that changes shows."""
    progress = None if run.has_ended else sync_queries.progress_of(run)
    has_worker = run.has_ended or has_live_worker()
    return {
        "run": run,
        "progress": progress,
        "headline": headline(run, progress, has_worker=has_worker),
        "summary": summary(run, sync_queries.change_counts(run)),
        "failure": why_it_failed(run),
        "may_sync": _may_sync(request),
    }
