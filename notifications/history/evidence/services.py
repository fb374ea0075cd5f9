"""The audited download of the evidence of a notification."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from notifications import permissions
from notifications.history.audit_events import EVIDENCE
from notifications.history.evidence.bundle import bundle, bundle_name
from notifications.models import Archive, Notification, Seal
from notifications.record.queries import seal_of
from notifications.ui.downloads import AuditedDownload


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


def evidence(actor: User | str, notification_id: int) -> AuditedDownload:
    """Download the evidence as a ZIP file.

    ``actor`` is a user, who needs the permission, or a command, which needs none.
    Raises ``PermissionDenied``; ``Notification.DoesNotExist``, also for a draft;
    ``ValidationError`` for a notification that is not sealed or is archived.
    """
    notification = Notification.objects.sent().get(pk=notification_id)
    seal = seal_of(notification.pk)
    archive = Archive.objects.filter(notification=notification).first()
    problem = obstacle(notification, seal, archive)
    if problem or seal is None:
        raise ValidationError(problem)
    return AuditedDownload(
        EVIDENCE,
        actor,
        [permissions.EXPORT_HISTORY],
        bundle(notification, seal),
        name=bundle_name(seal),
        file_format="zip",
        notification=notification.pk,
        head=seal.head,
    )
