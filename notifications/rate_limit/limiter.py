"""The rate limiter of one REST call, which hands out slots: times to start a call.

The call that sends takes its slots in the transaction of its claims (``free_slots``);
calls that only read take them in a separate transaction (``take``).
"""

from django.db import transaction

from notifications.models import Pace
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.slots import (
    PAUSE_AFTER_SET,
    SLOW_SECONDS,
    Slots,
    current_rate,
    free_slots,
    has_free_slot,
    locked_pace,
    save,
)

# A crash leaves no reading call unconfirmed. So its slots may be further ahead than those
# of notifications, and the row is locked less often.
READING_HORIZON = 0.25

# A longer commit is an exception and does not raise the estimate for the next ones.
MAX_COMMIT_ESTIMATE = 0.25


class RateLimiter:
    """``name`` is the key of the ``Pace`` row that all processes share.

    ``rate`` is in calls per second and may be changed at any time. Not thread-safe.
    """

    def __init__(
        self,
        name: str,
        rate: float,
        clock: EngineClock,
        *,
        horizon: float = READING_HORIZON,
    ) -> None:
        self.name = name
        self.rate = rate
        self.clock = clock
        self.horizon = horizon
        # Estimate of the time from reading the clock to the end of the commit: a slot
        # that passes before its transaction is committed would be lost.
        self._commit_seconds = 0.005
        self._read_at = 0.0
        self._no_slot_before = 0.0
        self._next_allowed_start = 0.0

    def may_have_slots(self) -> bool:
        """Return whether to take the lock. Reads without a lock."""
        earliest = self.clock.now() + self._commit_seconds
        return has_free_slot(self.name, self.clock, earliest, self.horizon)

    def claimed(self) -> int:
        """Return the total of claimed calls. Reads without a lock."""
        row = Pace.objects.filter(name=self.name).values_list("claimed", flat=True)
        return row.first() or 0

    def lock(self) -> Pace:
        """Return the row, locked until the end of the transaction."""
        return locked_pace(self.name, self.clock)

    def free_slots(self, row: Pace, limit: int) -> Slots:
        """Return at most ``limit`` slots that are free when the transaction is committed.

        The caller takes them: it updates ``row.next_slot``, saves the row, and calls
        ``committed`` after the commit.
        """
        now = self.clock.now()
        self._read_at = self.clock.machine()
        rate = current_rate(row, now, self.rate)
        since_late_call = self._read_at - self._next_allowed_start
        earliest = max(now + self._commit_seconds, now - since_late_call)
        # Slots of before the server's clock was set may still be in use.
        first_after_set = now - (self._read_at - self.clock.set_at) + PAUSE_AFTER_SET
        next_slot = max(row.next_slot, first_after_set)
        return free_slots(next_slot, earliest, rate, limit, self.horizon)

    def committed(self) -> None:
        """Update the estimate of the commit time: it rises at once and falls slowly."""
        seconds = self.clock.machine() - self._read_at
        self._commit_seconds = min(
            MAX_COMMIT_ESTIMATE, max(seconds, 0.9 * self._commit_seconds)
        )

    def take(self, limit: int) -> list[float]:
        """Take at most ``limit`` slots within the horizon, as machine time.

        Call it outside of a transaction.
        """
        if limit < 1 or self.clock.machine() < self._no_slot_before:
            return []
        with transaction.atomic():
            row = self.lock()
            slots = self.free_slots(row, limit)
            if slots.count:
                row.next_slot = slots.at(slots.count)
                save(row)
        self.committed()
        next_slot = self.clock.to_machine_time(slots.at(slots.count))
        # An earlier call would take the lock and get no slot.
        self._no_slot_before = next_slot - self.horizon - self._commit_seconds
        return [self.clock.to_machine_time(at) for at in slots.moments()]

    def called_late(self, moment: float) -> None:
        """Delay the next slot, because a call started at ``moment``, after its slot.

        Only for calls that are made one at a time.
        """
        self._next_allowed_start = moment + 1 / self.rate

    def slow_down(self) -> None:
        """Halve the rate of all processes for a minute, after a rate limit ErrorCode."""
        with transaction.atomic():
            row = self.lock()
            row.slow_until = self.clock.now() + SLOW_SECONDS
            save(row)
