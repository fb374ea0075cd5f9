"""Downloading the list of chat groups: who did it with which filters is written down."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from notifications import roles
from notifications.models import AuditEntry, ChatGroup
from notifications.record.group_export import groups_file

from .permissions import require
from .recorded import Download


def download_groups(
    user: User, groups: QuerySet[ChatGroup], *, filters: Mapping[str, str]
) -> Download:
    """The groups as a CSV file; ``filters`` is what the audit entry says of them.

    Raises ``PermissionDenied``.
    """
    require(user, roles.SEE_GROUPS)
    return Download(
        AuditEntry.Action.GROUPS_EXPORTED,
        user.get_username(),
        groups_file(groups),
        file_format="csv",
        filters=filters,
        groups=groups.count(),
    )


def file_name() -> str:
    return f"groups-{timezone.localdate():%Y-%m-%d}.csv"
