"""The rate limiter of one call: hands out the slots at which it may start.

A call that sends takes its slots in the transaction of its claims (``free_slots``); a
call that only reads takes them in a transaction of their own (``take``).
"""

from django.db import transaction

from notifications.models import Pace
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.slots import (
    SLOW_SECONDS,
    Slots,
    current_rate,
    free_slots,
    has_free_slot,
    locked_pace,
)

# A crash leaves no reading call in doubt: its slots may lie further ahead than those of
# notices, and the row is locked less often.
READING_HORIZON = 0.25

# A commit that takes longer is an exception, and no measure for those after it.
LONGEST_COMMIT = 0.25


class RateLimiter:
    """``name`` is the row of ``Pace`` that all processes share, ``rate`` calls a second.

    The rate may be changed at any time. For one thread.
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
        # From reading the clock to the end of the commit, lately: a slot that has
        # passed before its transaction is committed would be lost.
        self._commit_seconds = 0.005
        self._read_at = 0.0
        self._closed_until = 0.0
        self._not_before = 0.0

    def may_have_slots(self) -> bool:
        """Whether the lock is worth taking; asked without a lock."""
        earliest = self.clock.now() + self._commit_seconds
        return has_free_slot(self.name, self.clock, earliest, self.horizon)

    def lock(self) -> Pace:
        """The row, locked to the end of the transaction."""
        return locked_pace(self.name, self.clock)

    def free_slots(self, row: Pace, limit: int) -> Slots:
        """At most ``limit`` slots that are free when the transaction is committed.

        The caller takes them: it moves ``row.next_slot``, saves the row, and calls
        ``committed`` after the commit.
        """
        now = self.clock.now()
        self._read_at = self.clock.machine()
        rate = current_rate(row, now, self.rate)
        since_late_call = self._read_at - self._not_before
        earliest = max(now + self._commit_seconds, now - since_late_call)
        return free_slots(row.next_slot, earliest, rate, limit, self.horizon)

    def committed(self) -> None:
        """Learn from a commit. The estimate rises at once and falls slowly."""
        seconds = self.clock.machine() - self._read_at
        self._commit_seconds = min(
            LONGEST_COMMIT, max(seconds, 0.9 * self._commit_seconds)
        )

    def take(self, limit: int) -> list[float]:
        """At most ``limit`` slots of the machine's clock, none when none is near.

        Call it outside of a transaction.
        """
        if limit < 1 or self.clock.machine() < self._closed_until:
            return []
        with transaction.atomic():
            row = self.lock()
            slots = self.free_slots(row, limit)
            if slots.count:
                row.next_slot = slots.at(slots.count)
                row.save()
        self.committed()
        next_one = self.clock.on_machine(slots.at(slots.count))
        # Asked earlier, it could give nothing, and would take the lock for it.
        self._closed_until = next_one - self.horizon - self._commit_seconds
        return [self.clock.on_machine(at) for at in slots.moments()]

    def called_late(self, moment: float) -> None:
        """A call was made at ``moment``, behind its slot: the next one keeps away.

        For calls of which there is only one at a time.
        """
        self._not_before = moment + 1 / self.rate

    def slow_down(self) -> None:
        """After a frequency code: half the pace for a minute, for all processes."""
        with transaction.atomic():
            row = self.lock()
            row.slow_until = self.clock.now() + SLOW_SECONDS
            row.save()
