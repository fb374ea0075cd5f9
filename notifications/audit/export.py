"""The export of the audit trail, which records each export."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from notifications import permissions
from notifications.audit.audit_events import TRAIL_EXPORTED
from notifications.models import AuditEntry
from notifications.ui.downloads import (
    AuditedDownload,
    Column,
    export_pieces,
    fields_of,
    json_of,
    local_time,
    pages_by_id,
)

COLUMNS = [
    Column("id", "pk"),
    Column("at", "at", local_time),
    Column("action", "action"),
    Column("actor", "actor"),
    Column("actor_name", "actor_name"),
    Column("by_superuser", "by_superuser"),
    Column("address", "address"),
    Column("request_number", "request_number", lambda n: str(n) if n else None),
    Column("notification", "notification_number"),
    Column("delivery", "delivery_number"),
    Column("detail", "detail", cell=json_of),
]


def download_trail(
    actor: User | str,
    entries: QuerySet[AuditEntry],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> AuditedDownload:
    """The entries as a file, for a user or a command.

    ``filters`` is recorded in the entry of this export. Later entries, such as that
    one, are not part of the file. Raises ``PermissionDenied``.
    """
    newest = AuditEntry.objects.order_by("-id").values_list("pk", flat=True).first()
    rows = entries.filter(pk__lte=newest or 0)
    return AuditedDownload(
        TRAIL_EXPORTED,
        actor,
        [permissions.SEE_TRAIL, permissions.EXPORT_HISTORY],
        export_pieces(COLUMNS, pages_by_id(rows, fields_of(COLUMNS)), file_format),
        name=f"audit-trail-{timezone.localdate():%Y-%m-%d}",
        file_format=file_format,
        filters=dict(filters),
    )
