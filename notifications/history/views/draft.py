"""The versions of a draft that was deleted or sent, for auditors."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications import permissions
from notifications.history.draft_versions import versions_of
from notifications.models import Notification
from notifications.ui.pages import page, require_permission


@require_safe
def draft_versions(request: HttpRequest, pk: int) -> HttpResponse:
    """Not while it is a draft: nothing of it was sent, and its author goes on writing."""
    require_permission(request, permissions.SEE_TRAIL)
    versions = versions_of(pk)
    is_draft = Notification.objects.filter(pk=pk, status=Notification.Status.DRAFT)
    if not versions.rows or is_draft.exists():
        raise Http404
    return page(
        request,
        "notifications/history/draft.html",
        _("Draft of notification %(number)d") % {"number": pk},
        versions=versions,
        is_deleted=not Notification.objects.filter(pk=pk).exists(),
    )
