"""How the sending, the record and the syncs are doing, in a few cheap questions.

Shared by the System page and the metrics. Nothing here reads the history: all of it lies
in small indexes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from notifications.models import Attempt, Delivery, GroupSync, Notification

MINUTE = timedelta(minutes=1)
N = Notification.Status
D = Delivery.Status


@dataclass(frozen=True, slots=True)
class Queue:
    """``waiting`` counts deliveries by the status of their notification: scheduled,
    sending, paused. ``oldest_due``: since when the first of those of a notification
    that is being sent could be called; ``None`` where none is due."""

    waiting: Mapping[str, int]
    in_flight: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """``live``: notifications without a seal; ``ended``: how many of them have ended;
    ``since``: when the first of those ended."""

    live: Collection[int]
    ended: int
    since: datetime | None


def queue(now: datetime) -> Queue:
    """Two queries."""
    waiting = {status.value: 0 for status in sorted(Notification.OPEN)}
    oldest = None
    rows = Delivery.objects.filter(
        status=D.QUEUED, notification__status__in=Notification.OPEN
    )
    for status, count, first in (
        rows.order_by()
        .values_list("notification__status")
        .annotate(Count("pk"), Min("not_before"))
    ):
        waiting[status] = count
        if status == N.SENDING and first <= now:
            oldest = first
    in_flight = Delivery.objects.filter(status=D.SENDING).count()
    return Queue(waiting, in_flight, oldest)


def paused() -> dict[str, int]:
    """How many notifications are paused for each reason, zeros included."""
    rows = Notification.objects.filter(status=N.PAUSED).order_by()
    counts = rows.values_list("paused_reason").annotate(Count("pk"))
    return dict.fromkeys(Notification.PauseReason.values, 0) | dict(counts)


def calls_in_last_minute(now: datetime) -> int:
    """Calls that left this machine, in the 60 s before ``now``."""
    not_calls = [Attempt.Outcome.NOT_SENT, Attempt.Outcome.WORKER_LOST]
    made = Attempt.objects.filter(started_at__gt=now - MINUTE)
    return made.exclude(outcome__in=not_calls).count()


def unsealed() -> Unsealed:
    """What was sent and has no seal."""
    rows = Notification.objects.sent().filter(seal__isnull=True).order_by()
    found = list(rows.values_list("pk", "finished_at"))
    ended = [at for _pk, at in found if at is not None]
    return Unsealed([pk for pk, _at in found], len(ended), min(ended, default=None))


@dataclass(frozen=True, slots=True)
class Syncs:
    """The newest run of all, and when the last one that was finished ended."""

    latest: GroupSync | None
    completed_at: datetime | None


def syncs() -> Syncs:
    """Two queries; at most some twenty rows are kept."""
    runs = GroupSync.objects.order_by("-pk")
    done = runs.filter(status=GroupSync.Status.COMPLETED)
    return Syncs(runs.first(), done.values_list("finished_at", flat=True).first())
