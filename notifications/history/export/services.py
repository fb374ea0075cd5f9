"""The audited download of the history."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from notifications import permissions
from notifications.history.audit_events import EXPORTED
from notifications.history.export.rows import COLUMNS, pages
from notifications.history.search.facets import UnsealedNotification
from notifications.history.search.filters import DeliveryFilter
from notifications.record.queries import head
from notifications.ui.downloads import AuditedDownload, export_pieces


def download(
    actor: User | str,
    wanted: DeliveryFilter,
    live: Sequence[UnsealedNotification],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> AuditedDownload:
    """The deliveries as a file, for a user or a command.

    ``filters`` is what the audit entry says of them. The name of the file has the day
    and the start of the head of the seals ("none": nothing is sealed yet), as a copy
    outside of the server. Raises ``PermissionDenied``.
    """
    return AuditedDownload(
        EXPORTED,
        actor,
        [permissions.EXPORT_HISTORY],
        export_pieces(COLUMNS, pages(wanted, live), file_format),
        name=f"history-{timezone.localdate():%Y-%m-%d}-{head()[:12] or 'none'}",
        file_format=file_format,
        filters=filters,
    )
