"""How much one worker claims at a time: slots of the pace, threads, and commit time.

The claim itself is in claim.py, the slots are in pace.py; this is what a worker
remembers from one claim to the next.
"""

import math
from collections import deque
from datetime import datetime
from pathlib import Path

from django.conf import settings

from notifications.models import Installation
from notifications.pacing import pace
from notifications.pacing.clock import EngineClock

from .claim import Claim, claim, due
from .restore_mark import RestoreMark

# A stall that takes longer is no measure for the commits after it.
LONGEST_COMMIT = 0.25


class Claimer:
    """``pace_name`` names the row that all workers share, ``rate`` is calls per second.

    Call ``claim`` inside a transaction, and ``committed`` after it.
    """

    def __init__(self, pace_name: str, rate: float, clock: EngineClock) -> None:
        self.pace_name = pace_name
        self.rate = rate
        self.clock = clock
        self.restore_mark = RestoreMark(
            Path(settings.STATE_DIR), f"{Installation.present().key}/{pace_name}"
        )
        # From reading the clock to the end of the commit, lately: a slot that has
        # passed before its claim is committed would be lost.
        self._commit_seconds = 0.005
        self._slots_ahead: deque[float] = deque()  # of claims, by the machine's clock
        self._more_is_due = False  # as far as the last claim could see
        self._read_at = 0.0
        self._claimed = 0
        self._last_served = 0  # the notification whose turn came last

    def is_worth_it(self, now: datetime) -> bool:
        """Whether a claim is worth a transaction; asked without a lock."""
        earliest = self.clock.now() + self._commit_seconds
        return (self._more_is_due or due(now)) and pace.has_free_slot(
            self.pace_name, self.clock, earliest
        )

    def claim(self, worker_id: int, free_threads: int, now: datetime) -> list[Claim]:
        """Mark due deliveries as sending, each with the moment for its call.

        Raises ``DatabaseIsOlder`` when the database was restored from a backup.
        """
        row = pace.locked_pace(self.pace_name, self.clock)
        self.restore_mark.check(row.claimed)
        shared_now = self.clock.now()
        self._read_at = self.clock.machine()
        rate = pace.current_rate(row, shared_now, self.rate)
        slots = pace.free_slots(
            row.next_slot,
            shared_now + self._commit_seconds,
            rate,
            min(free_threads, self._may_hold(rate)),
        )
        if not slots.count:
            return []
        moments = [slots.at(n) for n in range(slots.count)]
        claims = claim(
            worker_id,
            [self.clock.on_machine(at) for at in moments],
            now,
            last_served=self._last_served,
        )
        self._more_is_due = len(claims) == slots.count
        if claims:
            row.next_slot = slots.at(len(claims))
            row.claimed += len(claims)
            row.save()
            self._claimed = row.claimed
            self._last_served = claims[-1].notification_id
        self._slots_ahead.extend(order.slot for order in claims)
        return claims

    def committed(self) -> None:
        """Learn from the commit of a claim. Rises at once and falls slowly."""
        seconds = self.clock.machine() - self._read_at
        self._commit_seconds = min(
            LONGEST_COMMIT, max(seconds, 0.9 * self._commit_seconds)
        )
        self.restore_mark.committed(self._claimed)

    def _may_hold(self, rate: float) -> int:
        """How many more claims may wait for their slots.

        A crash leaves them in doubt though no call was made for them, so there are
        never more than the pace uses up within the horizon, however long commits take.
        """
        now = self.clock.machine()
        while self._slots_ahead and self._slots_ahead[0] <= now:
            self._slots_ahead.popleft()
        return max(0, math.ceil(rate * pace.HORIZON) - len(self._slots_ahead))
