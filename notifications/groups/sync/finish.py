"""Start and end of a run, and removal of rows that are no longer needed."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from notifications import audit_log
from notifications.groups.audit_events import SYNC_ENDED
from notifications.groups.sync.queries import RUNS_WITH_CHANGES, audit_detail
from notifications.models import GroupSync, SyncChange, SyncItem

BLOCK = 1000

# Value of GroupSync.reason for a run that failed because of a bug in this program.
DEFECT = "defect"


class RunEnded(Exception):
    """A user stopped the run, or another worker finished it."""


def lock_running(sync_id: int) -> GroupSync:
    """Lock the run until the end of the transaction. Raises ``RunEnded``."""
    running = GroupSync.objects.filter(pk=sync_id, status=GroupSync.Status.RUNNING)
    sync: GroupSync | None = running.select_for_update().first()
    if sync is None:
        raise RunEnded
    return sync


def begin(sync: GroupSync) -> None:
    """waiting → running; a run that has begun before is not changed."""
    GroupSync.objects.filter(pk=sync.pk, status=GroupSync.Status.WAITING).update(
        status=GroupSync.Status.RUNNING, started_at=timezone.now()
    )


def finish(
    sync_id: int,
    status: GroupSync.Status,
    actor: str,
    *,
    code: int | None = None,
    reason: str = "",
    error_info: str = "",
) -> None:
    """running → ``status``, with an audit entry. Raises ``RunEnded``."""
    with transaction.atomic():
        sync = lock_running(sync_id)
        sync.status = status
        sync.finished_at = timezone.now()
        sync.error_code, sync.reason, sync.error_info = code, str(reason), error_info
        sync.save()
        audit_log.write(SYNC_ENDED, actor, **audit_detail(sync))


def purge(pause: Callable[[], None], block: int = BLOCK) -> None:
    """Delete the items of runs that have ended, and the changes of old runs.

    Up to 100,000 rows are deleted ``block`` at a time, so that a send is not delayed.
    """
    ended = GroupSync.objects.exclude(status__in=GroupSync.OPEN)
    _delete(SyncItem.objects.filter(sync__in=ended), pause, block)
    newest = ended.order_by("-pk").values_list("pk", flat=True)[
        RUNS_WITH_CHANGES - 1 : RUNS_WITH_CHANGES
    ]
    for oldest in newest:
        _delete(SyncChange.objects.filter(sync_id__lt=oldest), pause, block)


def _delete(
    rows: "QuerySet[SyncItem] | QuerySet[SyncChange]",
    pause: Callable[[], None],
    block: int,
) -> None:
    model: type[Model] = rows.model
    while keys := list(rows.values_list("pk", flat=True)[:block]):
        model._default_manager.filter(pk__in=keys).delete()
        pause()
