"""Runs of the sync: progress, changes and their counts."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from notifications.models import GroupSync, SyncChange, SyncItem

# Number of runs whose changes are stored; the audit trail has the counts of older runs.
RUNS_WITH_CHANGES = 20


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How many of the groups listed so far have been read."""

    done: int
    total: int


def progress_of(sync: GroupSync) -> SyncProgress:
    items = SyncItem.objects.filter(sync=sync)
    pending = items.filter(is_done=False).count()
    total = items.count()
    return SyncProgress(total - pending, total)


def change_counts(sync: GroupSync) -> dict[str, int]:
    """Number of changes of each kind, zeros included."""
    return change_counts_by_sync([sync])[sync.pk]


def change_counts_by_sync(syncs: list[GroupSync]) -> dict[int, dict[str, int]]:
    """The same for many runs, by their keys, in one query."""
    counts = {sync.pk: dict.fromkeys(SyncChange.Kind.values, 0) for sync in syncs}
    rows = SyncChange.objects.filter(sync__in=syncs).order_by()
    for sync_id, kind, number in rows.values_list("sync", "kind").annotate(
        number=Count("pk")
    ):
        counts[sync_id][kind] = number
    return counts


def latest_runs() -> list[GroupSync]:
    """The latest runs, newest first, including an open one."""
    return list(GroupSync.objects.order_by("-pk")[:RUNS_WITH_CHANGES])


def changes_of(sync: GroupSync, kind: str) -> QuerySet[SyncChange]:
    """Changes of a run; ``kind`` is one of ``SyncChange.Kind``, or empty for all."""
    changes = SyncChange.objects.filter(sync=sync)
    return changes.filter(kind=kind) if kind else changes


def are_changes_available(sync: GroupSync) -> bool:
    """Whether the changes of a run are still stored."""
    ended = GroupSync.objects.filter(pk__gt=sync.pk).exclude(status__in=GroupSync.OPEN)
    return ended.count() < RUNS_WITH_CHANGES


def audit_detail(sync: GroupSync) -> dict[str, Any]:
    """Details of the audit entry for the end of a run."""
    detail: dict[str, Any] = {"sync": sync.pk, "status": str(sync.status)}
    detail |= change_counts(sync)
    if sync.error_code is not None:
        detail["code"] = sync.error_code
    elif sync.reason:
        detail["reason"] = sync.reason
    return detail
