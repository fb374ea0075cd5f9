"""Requesting a sync of the groups with Tencent, by a person or by schedule, and stopping one.

The first one is asked for by a person, unless the list of groups is empty: a list that
people chose by hand must not fill up by itself after an update.
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
from notifications.groups.sync.queries import ended_detail
from notifications.models import ChatGroup, GroupSync
from notifications.permissions import require


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
            audit_log.write(SYNC_REQUESTED, actor, sync=sync.pk)
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
    audit_log.write(SYNC_ENDED, user.get_username(), **ended_detail(sync))
    return sync


def _require(user: User) -> None:
    """A sync adds groups and changes them."""
    require(user, permissions.ADD_GROUPS)
    require(user, permissions.CHANGE_GROUPS)


def is_due(now: datetime) -> bool:
    """Whether the worker is to ask for a run by itself."""
    hours = int(settings.IM_SYNC_EVERY_HOURS)
    if not hours or GroupSync.objects.open().exists():
        return False
    last = GroupSync.objects.order_by("-pk").first()
    if last is None:
        return not ChatGroup.objects.exists()
    due: bool = last.created_at <= now - timedelta(hours=hours)
    return due


def ask_if_due(now: datetime) -> None:
    """Ask for a run when one is due; another worker may have been faster."""
    if not is_due(now):
        return
    try:
        with transaction.atomic():
            GroupSync.objects.create(requested_by=GroupSync.SCHEDULE, created_at=now)
    except IntegrityError:
        return
