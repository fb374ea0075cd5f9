"""Downloading the history: who did it with which filters is written down first."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from notifications import roles
from notifications.models import AuditEntry
from notifications.record.export_lines import history_file
from notifications.selectors.occurring import Live
from notifications.selectors.seals import head
from notifications.selectors.wanted import DeliveryFilter

from .permissions import require
from .recorded import Download


def download(
    user: User,
    wanted: DeliveryFilter,
    live: Sequence[Live],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """The deliveries as a file; ``filters`` is what the audit entry says of them.

    Raises ``PermissionDenied``.
    """
    require(user, roles.EXPORT_HISTORY)
    return export_as(
        user.get_username(), wanted, live, file_format=file_format, filters=filters
    )


def export_as(
    actor: str,
    wanted: DeliveryFilter,
    live: Sequence[Live],
    *,
    file_format: str,
    filters: Mapping[str, str],
) -> Download:
    """As ``download``, for who runs commands on the server and needs no role."""
    return Download(
        AuditEntry.Action.EXPORTED,
        actor,
        history_file(wanted, live, file_format),
        file_format=file_format,
        filters=filters,
    )


def file_name(file_format: str) -> str:
    """With the day, and the start of the head of the seals: a copy outside of the server.

    "none" where nothing is sealed yet.
    """
    mark = head()[:12] or "none"
    return f"history-{timezone.localdate():%Y-%m-%d}-{mark}.{file_format}"
