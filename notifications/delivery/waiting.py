"""Why deliveries are queued, and how fast they are sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.db.models import Aggregate, Count, Exists, Max, Subquery

from notifications.delivery.channels import CHANNELS
from notifications.delivery.heartbeat import live_workers
from notifications.delivery.reconcile.questions import can_be_asked_now
from notifications.delivery.reconcile.services import OpenQueries
from notifications.models import Delivery, Notification, SendingSwitch
from notifications.models.deliveries import DeliveryQuerySet

RATE_WINDOW = timedelta(seconds=10)


class WaitReason(Enum):
    """Why deliveries are queued; the first that applies is shown."""

    NOTHING_QUEUED = auto()
    SENDING_STOPPED = auto()
    PAUSED = auto()
    SCHEDULED = auto()
    NO_WORKER = auto()
    AMENDED = auto()  # for the results of the calls that sent the messages
    RETRY_DELAY = auto()
    RATE_LIMIT = auto()


@dataclass(frozen=True, slots=True)
class WaitState:
    """``rate`` is in deliveries per second over the last 10 s."""

    reason: WaitReason
    rate: float = 0.0
    seconds_left: int | None = None
    next_attempt: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """The part of the progress that are not counts, from one query at the time ``now``.

    ``first_due`` is when the first queued delivery may be called; ``awaits_results``:
    one has not been called yet.
    """

    now: datetime
    has_worker: bool
    rate: float
    first_due: datetime | None
    awaits_results: bool
    queries: OpenQueries


def facts_of(notification: Notification, now: datetime) -> Facts:
    """One query."""
    since = now - RATE_WINDOW
    if notification.watched_since is not None:
        since = max(since, notification.watched_since)
    rows = notification.deliveries.order_by()
    queued = rows.filter(status=Delivery.Status.QUEUED)
    open_queries = rows.filter(next_query_at__isnull=False)
    has_worker, ended, first_due, awaits_results, count, last, askable = (
        Notification.objects.filter(pk=notification.pk)
        .values_list(
            Exists(live_workers()),
            _value(rows.filter(finished_at__gt=since), Count("pk")),
            Subquery(queued.order_by("not_before").values("not_before")[:1]),
            Exists(queued.filter(attempt_count=0)),
            _value(open_queries, Count("pk")),
            _value(open_queries, Max("next_query_at")),
            _value(open_queries, Count("pk", filter=can_be_asked_now(now))),
        )
        .get()
    )
    seconds = (now - since).total_seconds()
    queries = OpenQueries()
    if count:
        left = max(1, round((last - now).total_seconds()))
        queries = OpenQueries(count, left, askable or 0)
    return Facts(
        now=now,
        has_worker=has_worker,
        rate=(ended or 0) / seconds if seconds >= 1 else 0.0,
        first_due=first_due,
        awaits_results=awaits_results,
        queries=queries,
    )


def _value(rows: DeliveryQuerySet, aggregate: Aggregate) -> Any:
    """An aggregate of rows of one notification as a subquery; null without rows."""
    groups = rows.values("notification").annotate(value=aggregate)
    return Subquery(groups.values("value"))


def wait_state(
    notification: Notification, counts: dict[str, int], facts: Facts
) -> WaitState:
    """Return why deliveries are queued; ``counts`` are of deliveries by status.

    One query if the switch for all sending stops the notification, which is read anew.
    """
    queued = counts[Delivery.Status.QUEUED]
    left = queued + counts[Delivery.Status.SENDING]
    rate = facts.rate if left else 0.0
    seconds_left = round(left / rate) if rate else None
    if left and not queued and not facts.has_worker:
        return WaitState(WaitReason.NO_WORKER)
    if not queued:
        return WaitState(WaitReason.NOTHING_QUEUED, rate, seconds_left)
    channel = CHANNELS[notification.channel]
    if channel.obeys_switch and SendingSwitch.present().is_off:
        return WaitState(WaitReason.SENDING_STOPPED)
    if notification.status == Notification.Status.PAUSED:
        return WaitState(WaitReason.PAUSED)
    if notification.status == Notification.Status.SCHEDULED:
        return WaitState(WaitReason.SCHEDULED)
    if not facts.has_worker:
        return WaitState(WaitReason.NO_WORKER)
    if facts.first_due is not None and facts.first_due > facts.now:
        if channel.is_amendment and facts.awaits_results:
            return WaitState(WaitReason.AMENDED, rate)
        return WaitState(WaitReason.RETRY_DELAY, rate, seconds_left, facts.first_due)
    return WaitState(WaitReason.RATE_LIMIT, rate, seconds_left)
