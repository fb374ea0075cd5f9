"""The end of a run, and what is removed after it."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Model, QuerySet

from notifications import audit_log
from notifications.groups.audit_events import SYNC_ENDED
from notifications.groups.sync.queries import KEPT, ended_detail
from notifications.models import GroupSync, SyncChange, SyncItem

BLOCK = 1000


class RunEnded(Exception):
    """Somebody stopped the run, or another worker brought it to its end."""


def locked(sync_id: int) -> GroupSync:
    """The run, locked to the end of the transaction. Raises ``RunEnded``."""
    running = GroupSync.objects.select_for_update().filter(
        pk=sync_id, status=GroupSync.Status.RUNNING
    )
    sync = running.first()
    if sync is None:
        raise RunEnded
    return sync


def begin(sync: GroupSync, now: datetime) -> None:
    """waiting → running; one that was begun before goes on."""
    GroupSync.objects.filter(pk=sync.pk, status=GroupSync.Status.WAITING).update(
        status=GroupSync.Status.RUNNING, started_at=now
    )


def finish(
    sync_id: int,
    status: GroupSync.Status,
    actor: str,
    now: datetime,
    *,
    code: int | None = None,
    reason: str = "",
    error_info: str = "",
) -> None:
    """running → ``status``, with its entry in the audit trail. Raises ``RunEnded``."""
    with transaction.atomic():
        sync = locked(sync_id)
        sync.status = status
        sync.finished_at = now
        sync.error_code, sync.reason, sync.error_info = code, reason, error_info
        sync.save()
        audit_log.write(SYNC_ENDED, actor, **ended_detail(sync))


def purge(pause: Callable[[], None], block: int = BLOCK) -> None:
    """Remove items of runs that have ended, and the changes of old ones.

    In pieces of ``block``: it may be 100,000 rows, and a send waits for none of it.
    """
    ended = GroupSync.objects.exclude(status__in=GroupSync.OPEN)
    _remove(SyncItem.objects.filter(sync__in=ended), pause, block)
    newest = ended.order_by("-pk").values_list("pk", flat=True)[KEPT - 1 : KEPT]
    for oldest_kept in newest:
        _remove(SyncChange.objects.filter(sync_id__lt=oldest_kept), pause, block)


def _remove(
    rows: "QuerySet[SyncItem] | QuerySet[SyncChange]",
    pause: Callable[[], None],
    block: int,
) -> None:
    model: type[Model] = rows.model
    while keys := list(rows.values_list("pk", flat=True)[:block]):
        model._default_manager.filter(pk__in=keys).delete()
        pause()
