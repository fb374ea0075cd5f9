"""The breaker by share: a send of which half fails is held before the rest fails too.

The other breakers (a refused account, a refused text, a streak of doubt) need no
counting over rows; they are in retry.py and settle.py.
"""

from notifications.models import Delivery, Notification

WINDOW = 200
MOST_FAILED = WINDOW // 2


def too_many_failures(notification: Notification) -> bool:
    """Whether half of the last 200 deliveries that ended have failed.

    Never on fewer than 200, and only what ended since the start or the last resume
    counts: a person who goes on after a look is not stopped by what he has seen.
    """
    ended = Delivery.objects.filter(
        notification=notification, finished_at__isnull=False
    )
    if notification.watched_since is not None:
        ended = ended.filter(finished_at__gte=notification.watched_since)
    last = ended.order_by("-finished_at", "-id")
    statuses = list(last.values_list("status", flat=True)[:WINDOW])
    return (
        len(statuses) == WINDOW
        and statuses.count(Delivery.Status.FAILED) >= MOST_FAILED
    )
