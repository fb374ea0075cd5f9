"""Downloading the history: who did it with which filters is written down first."""

from collections.abc import Iterator, Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet

from notifications import roles
from notifications.models import AuditEntry, Delivery
from notifications.record import export, trail

from .permissions import require


def download(
    user: User, deliveries: QuerySet[Delivery], *, filters: Mapping[str, str]
) -> Iterator[str]:
    """The rows as CSV, in pieces; ``filters`` is what the audit entry says of them.

    Raises ``PermissionDenied``.
    """
    require(user, roles.EXPORT_HISTORY)
    trail.write(
        AuditEntry.Action.EXPORTED,
        user.get_username(),
        format="csv",
        filters=dict(filters),
    )
    return export.lines(deliveries, "csv")
