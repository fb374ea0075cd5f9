"""The gate of one call: hands out the moments at which it may be made.

For calls that only read. The sending engine has a gate of its own in its claims, where
a slot and a claim are one transaction.
"""

from django.db import transaction

from notifications.rate_limit import slots as rate_limit_slots
from notifications.rate_limit.clock import EngineClock

# Of these calls a crash leaves none in doubt: slots may lie further ahead than those of
# notices, and the row is locked less often.
HORIZON = 0.25

# A stall that takes longer is no measure for the commits after it.
LONGEST_COMMIT = 0.25


class Gate:
    """``name`` is the row of ``Pace`` that all processes share, ``rate`` calls a second.

    The rate may be changed at any time. For one thread, outside of a transaction.
    """

    def __init__(self, name: str, rate: float, clock: EngineClock) -> None:
        self.name = name
        self.rate = rate
        self.clock = clock
        self._commit_seconds = 0.005
        self._closed_until = 0.0
        self._not_before = 0.0

    def take(self, wanted: int) -> list[float]:
        """At most ``wanted`` moments of the machine's clock, none when none is near.

        A call starts at its moment, within ``pace.FENCE`` behind it, or not at all.
        """
        if wanted < 1 or self.clock.machine() < self._closed_until:
            return []
        with transaction.atomic():
            row = rate_limit_slots.locked_pace(self.name, self.clock)
            began, now = self.clock.machine(), self.clock.now()
            rate = rate_limit_slots.current_rate(row, now, self.rate)
            held = self.clock.machine() - self._not_before
            earliest = max(now + self._commit_seconds, now - held)
            slots = rate_limit_slots.free_slots(
                row.next_slot, earliest, rate, wanted, HORIZON
            )
            if slots.count:
                row.next_slot = slots.at(slots.count)
                row.save()
        seconds = self.clock.machine() - began
        self._commit_seconds = min(
            LONGEST_COMMIT, max(seconds, 0.9 * self._commit_seconds)
        )
        next_one = self.clock.on_machine(slots.at(slots.count))
        # Asked earlier, it could give nothing, and would take the lock for it.
        self._closed_until = next_one - HORIZON - self._commit_seconds
        return [self.clock.on_machine(slots.at(n)) for n in range(slots.count)]

    def called_late(self, moment: float) -> None:
        """A call was made at ``moment``, behind its slot: the next one keeps away.

        For calls of which there is only one at a time.
        """
        self._not_before = moment + 1 / self.rate

    def slow_down(self) -> None:
        """After a frequency code: half the pace for a minute, for all processes."""
        with transaction.atomic():
            row = rate_limit_slots.locked_pace(self.name, self.clock)
            row.slow_until = self.clock.now() + rate_limit_slots.SLOW_SECONDS
            row.save()
