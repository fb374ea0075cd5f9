"""The page of a notification: progress, results, seal and evidence."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import permissions
from notifications.amendments.checks import why_never
from notifications.audit.queries import actions_of_notification
from notifications.db.snapshot import snapshot
from notifications.delivery.controls import pause_shown
from notifications.delivery.explanations import explain_code
from notifications.delivery.presentation import (
    ADVICE,
    headline,
    pause_reason,
    query_sentence,
    wait_sentence,
)
from notifications.delivery.resendable import resendable_group_counts
from notifications.delivery.shared_progress import SHARED, Answer
from notifications.delivery.waiting import wait_state
from notifications.history.amendments import amendments_of, text_before
from notifications.history.evidence.services import evidence, obstacle
from notifications.history.forms import NotificationFilterForm
from notifications.history.notification_detail import notification_detail
from notifications.models import Notification
from notifications.ui.downloads import as_file
from notifications.ui.lists import back_query
from notifications.ui.pages import may_control, page, require_permission

# The page of an ended notification is live if Tencent is asked so soon.
MAX_LIVE_SECONDS = 300


@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    with snapshot():
        notification = _visible(request, pk)
        return page(
            request,
            "notifications/history/notification.html",
            _title(notification),
            **_context(request, notification, SHARED.refresh(notification)),
            **_record(request, notification),
            text_before=text_before(notification),
            back=back_query(request, NotificationFilterForm),
        )


@require_safe
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that progress.js reloads."""
    notification = _visible(request, pk)
    context = _context(request, notification, SHARED.get(notification))
    response = render(request, "notifications/delivery/_progress.html", context)
    if not context["is_live"]:
        response["X-Done"] = "1"
    return response


def _title(notification: Notification) -> str:
    if notification.amends_id is None:
        return _("Notification %(number)d") % {"number": notification.pk}
    return _("%(kind)s %(number)d") % {
        "kind": notification.get_channel_display(),
        "number": notification.pk,
    }


def _visible(request: HttpRequest, pk: int) -> Notification:
    """A notification of which the user may see the history, or which may be taken over."""
    user = request.user
    people = Notification.objects.select_related("sender", "controlled_by")
    notification = get_object_or_404(people, pk=pk)
    if not any(map(user.has_perm, (permissions.SEND, permissions.SEE_HISTORY))):
        raise PermissionDenied
    if notification.status == Notification.Status.DRAFT:
        raise Http404
    return notification


def _record(request: HttpRequest, notification: Notification) -> dict[str, object]:
    """The context of the sections that need the permission to see the history."""
    if not request.user.has_perm(permissions.SEE_HISTORY):
        return {}
    detail = notification_detail(notification)
    return {
        "notification_detail": detail,
        "results": detail.results,
        "amendments": amendments_of(notification),
        "timeline": actions_of_notification(notification.pk),
        "no_evidence_because": obstacle(notification, detail.seal, detail.archive),
    }


def _context(
    request: HttpRequest, notification: Notification, answer: Answer
) -> dict[str, object]:
    progress, queries = answer.progress, answer.facts.queries
    code = notification.paused_code
    rest = wait_state(notification, progress.calls, answer.facts)
    # Not before the last calls of a stopped notification have ended.
    is_over = notification.has_ended and not progress.in_progress
    why_never_changed = "" if notification.amends_id else why_never(notification)
    can_be_changed = not notification.amends_id and not why_never_changed
    return {
        "n": notification,
        "is_over": is_over,
        "is_live": not is_over or 0 < queries.seconds_left <= MAX_LIVE_SECONDS,
        "queries": queries,
        "asks": query_sentence(
            queries,
            # Of a group in parts, the worst part counts: the numbers do not compare.
            progress.counts["unconfirmed"] if progress.portions == 1 else 0,
            has_worker=answer.facts.has_worker,
        ),
        "again": resendable_group_counts(notification),
        "waits": wait_sentence(rest),
        "resends": notification.resends.order_by("pk"),
        "changes": notification.amendments.order_by("pk") if can_be_changed else [],
        "held_because": pause_reason(notification),
        "paused_advice": ADVICE.get(notification.paused_reason),
        "progress": progress,
        "headline": headline(notification, progress),
        "paused_by_code": explain_code(code, notification.channel)
        if code is not None
        else None,
        "may_control": may_control(request, notification),
        "can_be_changed": can_be_changed,
        "why_never_changed": why_never_changed,
        "pause_shown": pause_shown(notification)
        if notification.status == Notification.Status.PAUSED
        else "",
    }


@require_POST
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send a ZIP file, or redirect to the page with the reason why there is none."""
    user = require_permission(request, permissions.EXPORT_HISTORY)
    require_permission(request, permissions.SEE_HISTORY)
    try:
        file = evidence(user, pk)
    except Notification.DoesNotExist:
        raise Http404 from None
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("admin:notification_progress", pk)
    return as_file(file, file.name, file.content_type)
