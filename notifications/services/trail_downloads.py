"""Downloading the audit trail, which is itself written down in it."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from notifications import roles
from notifications.models import AuditEntry
from notifications.record.trail_export import trail_file

from .permissions import require
from .recorded import Download


def download_trail(
    user: User,
    entries: QuerySet[AuditEntry],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """The entries as a file; ``filters`` is what the entry about this says of them.

    Raises ``PermissionDenied``.
    """
    require(user, roles.SEE_TRAIL)
    require(user, roles.EXPORT_HISTORY)
    return export_trail_as(
        user.get_username(), entries, file_format=file_format, filters=filters
    )


def export_trail_as(
    actor: str,
    entries: QuerySet[AuditEntry],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """As ``download_trail``, for who runs commands on the server and needs no role.

    What is written from now on, such as the entry about this, makes the file no longer.
    """
    newest = AuditEntry.objects.order_by("-id").values_list("pk", flat=True).first()
    return Download(
        AuditEntry.Action.TRAIL_EXPORTED,
        actor,
        trail_file(entries.filter(pk__lte=newest or 0), file_format),
        file_format=file_format,
        filters=filters,
    )


def file_name(file_format: str) -> str:
    return f"audit-trail-{timezone.localdate():%Y-%m-%d}.{file_format}"
