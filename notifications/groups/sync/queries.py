"""Syncs of the groups: their counts, how far the present one is, what they changed."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from notifications.models import GroupSync, SyncChange, SyncItem

# The changes of so many runs are kept; what older ones counted is in the audit trail.
KEPT = 20


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How many of the groups that are listed so far have been read."""

    done: int
    total: int


def progress_of(sync: GroupSync) -> SyncProgress:
    items = SyncItem.objects.filter(sync=sync)
    left = items.filter(is_done=False).count()
    total = items.count()
    return SyncProgress(total - left, total)


def change_counts(sync: GroupSync) -> dict[str, int]:
    """How many changes of each kind, zeros included."""
    return counts_of_all([sync])[sync.pk]


def counts_of_all(syncs: list[GroupSync]) -> dict[int, dict[str, int]]:
    """The same for many runs, in one query."""
    counts = {sync.pk: dict.fromkeys(SyncChange.Kind.values, 0) for sync in syncs}
    rows = SyncChange.objects.filter(sync__in=syncs).order_by()
    for sync_id, kind, number in rows.values_list("sync", "kind").annotate(
        number=Count("pk")
    ):
        counts[sync_id][kind] = number
    return counts


def latest() -> list[GroupSync]:
    """The last runs, the newest first, an open one among them."""
    return list(GroupSync.objects.order_by("-pk")[:KEPT])


def changes_of(sync: GroupSync, kind: str) -> QuerySet[SyncChange]:
    """What a run changed; ``kind`` is one of ``SyncChange.Kind`` or empty for all."""
    changes = SyncChange.objects.filter(sync=sync)
    return changes.filter(kind=kind) if kind else changes


def are_changes_available(sync: GroupSync) -> bool:
    """Whether the changes of a run are still there."""
    ended = GroupSync.objects.filter(pk__gt=sync.pk).exclude(status__in=GroupSync.OPEN)
    return ended.count() < KEPT


def ended_detail(sync: GroupSync) -> dict[str, Any]:
    """What the audit trail keeps of a run that has ended."""
    detail: dict[str, Any] = {"sync": sync.pk, "status": str(sync.status)}
    detail |= change_counts(sync)
    if sync.error_code is not None:
        detail["code"] = sync.error_code
    elif sync.reason:
        detail["reason"] = sync.reason
    return detail
