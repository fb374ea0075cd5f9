"""Asking for a sync of the groups with Tencent, and stopping one."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import roles
from notifications.models import AuditEntry, GroupSync
from notifications.record import trail
from notifications.selectors.syncs import ended_detail

from .permissions import require


def request_sync(user: User) -> GroupSync:
    """Ask the worker for a sync. Of two at a time, the second gives the first one.

    Raises ``PermissionDenied``.
    """
    _require(user)
    return request_sync_by(user.get_username())


def request_sync_by(actor: str) -> GroupSync:
    """The same for a command; ``actor`` is named in the audit trail."""
    try:
        with transaction.atomic():
            sync = GroupSync.objects.create(requested_by=actor)
            trail.write(AuditEntry.Action.SYNC_REQUESTED, actor, sync=sync.pk)
            return sync
    except IntegrityError:
        return GroupSync.objects.order_by("-pk")[0]


@transaction.atomic
def stop_sync(user: User, sync_id: int) -> GroupSync:
    """End an open sync; what it wrote so far stays.

    Raises ``PermissionDenied``, ``ValidationError`` when it has ended already.
    """
    _require(user)
    open_ones = GroupSync.objects.open().select_for_update()
    sync: GroupSync | None = open_ones.filter(pk=sync_id).first()
    if sync is None:
        raise ValidationError(_("This sync has ended already."))
    sync.status = GroupSync.Status.CANCELLED
    sync.finished_at = timezone.now()
    sync.save()
    trail.write(AuditEntry.Action.SYNC_ENDED, user.get_username(), **ended_detail(sync))
    return sync


def _require(user: User) -> None:
    """A sync adds groups and changes them."""
    require(user, roles.ADD_GROUPS)
    require(user, roles.CHANGE_GROUPS)
