"""Claim due deliveries for sending, inside the worker's transaction.

A claim sets owner, attempt number and time of the row. It must be committed before the
first byte of the call is sent. So a row claimed by a dead worker may have been called.

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

from notifications.delivery.restore_guard import RestoreGuard
from notifications.delivery.retry import AttemptHistory
from notifications.models import Delivery, Installation, Notification, SendingSwitch
from notifications.rate_limit.limiter import RateLimiter
from notifications.tencent.calls.base import Call
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)

# The columns of a delivery for a Claim; the last three are those of AttemptHistory.
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
    """One call to make: a request for the HTTP threads.

    ``history`` summarizes earlier attempts; it does not change during the claim.
    """

    may_start_late: ClassVar[bool] = False

    delivery_id: int
    notification_id: int
    attempt: int
    call: Call[None]
    slot: float  # machine time
    history: AttemptHistory

    @property
    def log_fields(self) -> dict[str, int]:
        """Identifies the delivery in log records."""
        return {"notification": self.notification_id, "delivery": self.delivery_id}


def running_notifications(now: datetime) -> QuerySet[Notification]:
    """Return notifications that are being sent; none while all sending is stopped."""
    switched_off = SendingSwitch.objects.filter(is_off=True)
    return Notification.objects.filter(
        ~Exists(switched_off),
        Q(not_after__isnull=True) | Q(not_after__gt=now),
        status=Notification.Status.SENDING,
    )


def has_due_deliveries(now: datetime) -> bool:
    """Return whether a delivery can be claimed. Reads without a lock, for idle workers."""
    due = Delivery.objects.filter(
        notification_id=OuterRef("pk"),
        status=Delivery.Status.QUEUED,
        not_before__lte=now,
    )
    return running_notifications(now).filter(Exists(due)).exists()


def claim(
    worker_id: int, slots: Sequence[float], now: datetime, *, last_served: int = 0
) -> list[Claim]:
    """Mark due deliveries as sending by ``worker_id``, at most one for each slot.

    The slots are shared among running notifications (round robin), so that a short one
    does not wait behind one to 100,000 groups. The first one is the next after
    ``last_served``, the id of a notification.
    """
    # Load few columns: the audience of one notification may take megabytes.
    notifications = sorted(
        running_notifications(now).order_by("id").values_list("pk", "content"),
        key=lambda notification: (notification[0] <= last_served, notification[0]),
    )
    claims: list[Claim] = []
    for index, (notification_id, content) in enumerate(notifications):
        # The following notifications share the slots that this one does not use.
        share = -(-(len(slots) - len(claims)) // (len(notifications) - index))
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
        for pk, attempts, group_id, group_type, recipients, *history in rows:
            claims.append(
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
                    slot=slots[len(claims)],
                    history=AttemptHistory(*history),
                )
            )
    _mark([claim.delivery_id for claim in claims], worker_id, now)
    return claims


def _mark(ids: Sequence[int], worker_id: int, now: datetime) -> None:
    if not ids:
        return
    count = Delivery.objects.filter(pk__in=ids, status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.SENDING,
        owner=worker_id,
        claimed_at=now,
        attempt_count=F("attempt_count") + 1,
    )
    if count != len(ids):
        raise RuntimeError(
            f"Worker {worker_id} locked {len(ids)} deliveries but updated {count}: "
            f"another process has changed some of them."
        )


class ClaimPlanner:
    """Plans the claims of one worker and stores its state between them.

    Call ``claim`` inside a transaction, and ``committed`` after it.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter
        self.restore_guard = RestoreGuard(
            Path(settings.STATE_DIR), f"{Installation.present().key}/{limiter.name}"
        )
        self._future_slots: deque[float] = deque()  # of claims, as machine time
        self._more_due = False  # whether the last claim used all its slots
        self._claimed = 0
        self._last_served = 0  # id of the notification of the last claim

    def check_restored(self) -> None:
        """Raise ``DatabaseIsOlder`` when the database was restored from a backup."""
        self.restore_guard.check(self.limiter.claimed())

    def should_claim(self, now: datetime) -> bool:
        """Return whether to begin a transaction for a claim. Reads without a lock."""
        has_due = self._more_due or has_due_deliveries(now)
        return has_due and self.limiter.may_have_slots()

    def claim(self, worker_id: int, free_threads: int, now: datetime) -> list[Claim]:
        """Claim due deliveries, each with the slot for its call.

        Raises ``DatabaseIsOlder`` when the database was restored from a backup.
        """
        row = self.limiter.lock()
        self.restore_guard.check(row.claimed)
        slots = self.limiter.free_slots(row, free_threads)
        moments = slots.moments()[: self._max_new_claims(slots.interval)]
        if not moments:
            return []
        clock = self.limiter.clock
        claims = claim(
            worker_id,
            [clock.to_machine_time(at) for at in moments],
            now,
            last_served=self._last_served,
        )
        self._more_due = len(claims) == len(moments)
        if claims:
            row.next_slot = slots.at(len(claims))
            row.claimed += len(claims)
            row.save()
            self._claimed = row.claimed
            self._last_served = claims[-1].notification_id
        self._future_slots.extend(claim.slot for claim in claims)
        return claims

    def committed(self) -> None:
        """Update the estimates after the commit of a claim."""
        self.limiter.committed()
        self.restore_guard.committed(self._claimed)

    def _max_new_claims(self, interval: float) -> int:
        """Return how many more claims may wait for their slots.

        A crash makes them unconfirmed although they were not called. So there are never
        more than the rate allows within the horizon, however long commits take.
        """
        now = self.limiter.clock.machine()
        while self._future_slots and self._future_slots[0] <= now:
            self._future_slots.popleft()
        limit = math.ceil(self.limiter.horizon / interval)
        return max(0, limit - len(self._future_slots))
