"""Requesting a sync of the groups, by a user, a command or the schedule; stopping one.

The schedule starts the first sync only if there are no groups: a list that was chosen by
hand must not grow automatically after an update.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.groups.audit_events import SYNC_ENDED, SYNC_REQUESTED
from notifications.groups.sync.queries import audit_detail
from notifications.models import ChatGroup, GroupSync
from notifications.permissions import require


@transaction.atomic
def request_sync(user: User) -> GroupSync:
    """Request a sync from the worker, or return the one that is open already.

    Raises ``PermissionDenied``.
    """
    _require(user)
    return request_sync_by(user.get_username())


def request_sync_by(actor: str) -> GroupSync:
    """The same for a command; ``actor`` is recorded in the audit trail."""
    try:
        return _create(actor)
    except IntegrityError:  # there is at most one open run
        return GroupSync.objects.open().first() or _create(actor)


@transaction.atomic
def _create(actor: str) -> GroupSync:
    sync: GroupSync = GroupSync.objects.create(requested_by=actor)
    audit_log.write(SYNC_REQUESTED, actor, sync=sync.pk)
    return sync


@transaction.atomic
def stop_sync(user: User, sync_id: int) -> GroupSync:
    """Cancel an open sync; the changes that it wrote are not undone.

    Raises ``PermissionDenied``, or ``ValidationError`` if the sync has ended already.
    """
    _require(user)
    open_syncs = GroupSync.objects.open().select_for_update()
    sync: GroupSync | None = open_syncs.filter(pk=sync_id).first()
    if sync is None:
        raise ValidationError(_("This sync has ended already."))
    sync.status = GroupSync.Status.CANCELLED
    sync.finished_at = timezone.now()
    sync.save()
    audit_log.write(SYNC_ENDED, user.get_username(), **audit_detail(sync))
    return sync


def _require(user: User) -> None:
    """Require the permissions to add and change groups: a sync does both."""
    require(user, permissions.ADD_GROUPS, permissions.CHANGE_GROUPS)


def is_due(now: datetime) -> bool:
    """Whether the schedule requires a run now."""
    hours = int(settings.IM_SYNC_EVERY_HOURS)
    if not hours or GroupSync.objects.open().exists():
        return False
    last = GroupSync.objects.order_by("-pk").first()
    if last is None:
        return not ChatGroup.objects.exists()
    due: bool = last.created_at <= now - timedelta(hours=hours)
    return due


def request_sync_if_due(now: datetime) -> None:
    """Request a run if one is due, unless another worker has just done so."""
    if is_due(now):
        try:
            with transaction.atomic():
                GroupSync.objects.create(
                    requested_by=GroupSync.SCHEDULE, created_at=now
                )
        except IntegrityError:
            if not GroupSync.objects.open().exists():
                raise
