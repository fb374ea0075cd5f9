"""The audited download of the evidence of a notification."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.history.audit_events import EVIDENCE
from notifications.history.evidence.bundle import bundle, bundle_name
from notifications.models import Archive, Notification, Seal
from notifications.record.queries import seal_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """The name and the pieces of a ZIP file."""

    name: str
    pieces: Iterator[bytes]


def obstacle(
    notification: Notification, seal: Seal | None, archive: Archive | None
) -> str:
    """The reason why there is no evidence; empty if there is."""
    if archive is not None:
        return _(
            "Its deliveries were moved to the archive. The file %(name)s there holds "
            "the sealed text."
        ) % {"name": archive.file_name}
    if seal is not None:
        return ""
    if notification.has_ended:
        return _(
            "It is not sealed yet. A running worker does that within a minute; then "
            "the evidence can be downloaded."
        )
    return _("The evidence can be downloaded when all of it has ended and is sealed.")


def evidence(actor: User | str, notification_id: int) -> Evidence:
    """Write the audit entry and return the file.

    ``actor`` is a user, who needs the permission, or a command, which needs none.
    Raises ``PermissionDenied``; ``Notification.DoesNotExist``, also for a draft;
    ``ValidationError`` for a notification that is not sealed or is archived.
    """
    name = permissions.actor_name(actor, permissions.EXPORT_HISTORY)
    notification = Notification.objects.sent().get(pk=notification_id)
    seal = seal_of(notification.pk)
    archive = Archive.objects.filter(notification=notification).first()
    problem = obstacle(notification, seal, archive)
    if problem or seal is None:
        raise ValidationError(problem)
    audit_log.write(
        EVIDENCE,
        name,
        notification=notification.pk,
        head=seal.head,
    )
    return Evidence(bundle_name(seal), bundle(notification, seal))
