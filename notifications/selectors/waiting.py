"""Why the rest of a notification waits, how fast it goes, and how long it still takes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db.models import Min

from notifications.models import Delivery, Notification, SendingSwitch

RATE_OVER = timedelta(seconds=10)


class Waits(Enum):
    """What the waiting deliveries wait for; the first that is true is said."""

    FOR_NOTHING = auto()  # nothing waits
    FOR_THE_SWITCH = auto()
    FOR_A_PERSON = auto()  # paused
    FOR_ITS_TIME = auto()  # scheduled
    FOR_A_WORKER = auto()
    FOR_ANOTHER_ATTEMPT = auto()
    FOR_THE_PACE = auto()


@dataclass(frozen=True, slots=True)
class Waiting:
    """``rate`` in deliveries per second over the last 10 s; ``seconds_left`` at it."""

    why: Waits
    rate: float = 0.0
    seconds_left: int | None = None
    next_attempt: datetime | None = None


def waiting(
    notification: Notification,
    counts: dict[str, int],
    *,
    now: datetime,
    has_worker: bool,
) -> Waiting:
    """What is to be said of a notification with these ``counts`` of its rows."""
    queued = counts[Delivery.Status.QUEUED]
    left = queued + counts[Delivery.Status.SENDING]
    rate = _rate(notification, now) if left else 0.0
    seconds_left = round(left / rate) if rate else None
    if not queued:
        return Waiting(Waits.FOR_NOTHING, rate, seconds_left)
    if SendingSwitch.present().is_off:
        return Waiting(Waits.FOR_THE_SWITCH)
    if notification.status == Notification.Status.PAUSED:
        return Waiting(Waits.FOR_A_PERSON)
    if notification.status == Notification.Status.SCHEDULED:
        return Waiting(Waits.FOR_ITS_TIME)
    if not has_worker:
        return Waiting(Waits.FOR_A_WORKER)
    rows = notification.deliveries.filter(status=Delivery.Status.QUEUED)
    first = rows.aggregate(first=Min("not_before"))["first"]
    if first is not None and first > now:
        return Waiting(Waits.FOR_ANOTHER_ATTEMPT, rate, seconds_left, first)
    return Waiting(Waits.FOR_THE_PACE, rate, seconds_left)


def _rate(notification: Notification, now: datetime) -> float:
    since = now - RATE_OVER
    if notification.watched_since is not None:
        since = max(since, notification.watched_since)
    ended = notification.deliveries.filter(finished_at__gt=since).count()
    seconds = (now - since).total_seconds()
    return ended / seconds if seconds >= 1 else 0.0
