"""Claiming: taking due deliveries for sending, inside the worker's transaction.

The claim marks the row (owner, attempt number, time) and must be committed before the
first byte of the call leaves. Whoever finds such a mark of a dead worker knows that
the call may have been made.

The slots come from ``rate_limit/limiter.py``.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from notifications.delivery.restore_guard import RestoreMark
from notifications.delivery.retry import AttemptHistory
from notifications.models import Delivery, Installation, Notification, SendingSwitch
from notifications.rate_limit.limiter import RateLimiter
from notifications.tencent.calls.base import Call
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)

# Of a delivery: what a Claim is made of; the last three are those of Past.
COLUMNS = (
    "pk",
    "attempt_count",
    "group_id",
    "group_type",
    "recipients",
    "rejection_count",
    "not_sent_streak",
    "error_code",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One call to make, a request for the HTTP threads.

    ``past`` is what earlier attempts came to; it stands still while the claim lasts.
    """

    may_start_late: ClassVar[bool] = False

    delivery_id: int
    notification_id: int
    attempt: int
    call: Call[None]
    slot: float  # seconds of this machine's steady clock
    past: AttemptHistory

    @property
    def about(self) -> dict[str, int]:
        """Names the delivery in a line of the log."""
        return {"notification": self.notification_id, "delivery": self.delivery_id}


def running_notifications(now: datetime) -> QuerySet[Notification]:
    """The notifications whose calls are to be made; none while all sending is off."""
    switched_off = SendingSwitch.objects.filter(is_off=True)
    return Notification.objects.filter(
        ~Exists(switched_off),
        Q(not_after__isnull=True) | Q(not_after__gt=now),
        status=Notification.Status.SENDING,
    )


def due_deliveries(now: datetime) -> bool:
    """Whether a claim would find anything. A read without a lock, for idle workers."""
    waiting = Delivery.objects.filter(
        notification_id=OuterRef("pk"),
        status=Delivery.Status.QUEUED,
        not_before__lte=now,
    )
    return running_notifications(now).filter(Exists(waiting)).exists()


def claim(
    worker_id: int, slots: Sequence[float], now: datetime, *, last_served: int = 0
) -> list[Claim]:
    """Mark due deliveries as sending by ``worker_id``, at most one for each slot.

    Running notifications take turns, so that a short one does not wait behind one to
    100,000 groups: whoever comes after ``last_served``, a notification, is first.
    """
    # No more columns than are needed: the choice of groups alone may be megabytes.
    found_running = (
        running_notifications(now).order_by("id").values_list("pk", "content")
    )
    takers = sorted(
        found_running, key=lambda taker: (taker[0] <= last_served, taker[0])
    )
    found: list[Claim] = []
    for place, (notification_id, content) in enumerate(takers):
        # What this one leaves of its share goes to those after it.
        share = -(-(len(slots) - len(found)) // (len(takers) - place))
        if not share:
            break
        rows = (
            Delivery.objects.filter(
                notification_id=notification_id,
                status=Delivery.Status.QUEUED,
                not_before__lte=now,
            )
            .order_by("not_before", "id")
            .select_for_update(skip_locked=True)
            .values_list(*COLUMNS)[:share]
        )
        for pk, attempts, group_id, group_type, recipients, *past in rows:
            found.append(
                Claim(
                    delivery_id=pk,
                    notification_id=notification_id,
                    attempt=attempts + 1,
                    call=SendGroupSystemNotification(
                        group_id,
                        group_type,
                        content,
                        recipients.splitlines() or None,
                    ),
                    slot=slots[len(found)],
                    past=AttemptHistory(*past),
                )
            )
    _mark([order.delivery_id for order in found], worker_id, now)
    return found


def _mark(ids: Sequence[int], worker_id: int, now: datetime) -> None:
    if not ids:
        return
    taken = Delivery.objects.filter(pk__in=ids, status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.SENDING,
        owner=worker_id,
        claimed_at=now,
        attempt_count=F("attempt_count") + 1,
    )
    if taken != len(ids):
        raise RuntimeError(
            f"Worker {worker_id} claimed {len(ids)} deliveries but marked {taken}: "
            f"another process holds some of them."
        )


class ClaimPlanner:
    """What a worker remembers from one claim to the next.

    Call ``claim`` inside a transaction, and ``committed`` after it.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter
        self.restore_mark = RestoreMark(
            Path(settings.STATE_DIR), f"{Installation.present().key}/{limiter.name}"
        )
        self._slots_ahead: deque[float] = deque()  # of claims, by the machine's clock
        self._more_is_due = False  # as far as the last claim could see
        self._claimed = 0
        self._last_served = 0  # the notification whose turn came last

    def should_claim(self, now: datetime) -> bool:
        """Whether a claim is worth a transaction; asked without a lock."""
        return (
            self._more_is_due or due_deliveries(now)
        ) and self.limiter.may_have_slots()

    def claim(self, worker_id: int, free_threads: int, now: datetime) -> list[Claim]:
        """Mark due deliveries as sending, each with the slot for its call.

        Raises ``DatabaseIsOlder`` when the database was restored from a backup.
        """
        row = self.limiter.lock()
        self.restore_mark.check(row.claimed)
        slots = self.limiter.free_slots(row, free_threads)
        moments = slots.moments()[: self._may_hold(slots.interval)]
        if not moments:
            return []
        clock = self.limiter.clock
        claims = claim(
            worker_id,
            [clock.to_machine_time(at) for at in moments],
            now,
            last_served=self._last_served,
        )
        self._more_is_due = len(claims) == len(moments)
        if claims:
            row.next_slot = slots.at(len(claims))
            row.claimed += len(claims)
            row.save()
            self._claimed = row.claimed
            self._last_served = claims[-1].notification_id
        self._slots_ahead.extend(order.slot for order in claims)
        return claims

    def committed(self) -> None:
        """Learn from the commit of a claim."""
        self.limiter.committed()
        self.restore_mark.committed(self._claimed)

    def _may_hold(self, interval: float) -> int:
        """How many more claims may wait for their slots.

        A crash leaves them in doubt though no call was made for them, so there are
        never more than the pace uses up within the horizon, however long commits take.
        """
        now = self.limiter.clock.machine()
        while self._slots_ahead and self._slots_ahead[0] <= now:
            self._slots_ahead.popleft()
        most = math.ceil(self.limiter.horizon / interval)
        return max(0, most - len(self._slots_ahead))
