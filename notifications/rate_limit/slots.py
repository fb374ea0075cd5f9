"""Slots: times at which calls may start without exceeding the limit of the account.

The limit (200 calls a second for this call, counted at Tencent over the whole app) is
kept by handing out slots that are 1/rate seconds apart. One row in the database holds
the next free slot, so the limit holds over all workers and across restarts. A slot that
is missed is lost; using it late would bunch calls.
"""

import math
import time
from dataclasses import dataclass

from notifications import statements
from notifications.models import Pace
from notifications.rate_limit.clock import POSTGRESQL, EngineClock

# Slots are handed out at most this far ahead, in seconds.
HORIZON = 0.05

# An upper bound for every slot: the horizon, the commit, the slowest rate, and a margin.
MAX_LEAD = 3.0

# No slot in this time after the clock was set: a whole second, so that no window of a
# second holds calls of before and after.
PAUSE_AFTER_SET = 1.0

# A call starts at most this many seconds after its slot, or not at all.
MAX_START_DELAY = 0.015

# After a rate limit ErrorCode the rate is multiplied by this for so many seconds.
SLOW_FACTOR = 0.5

SLOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Slots:
    """``count`` free slots, the first at ``first``, ``interval`` seconds apart."""

    first: float
    interval: float
    count: int

    def at(self, index: int) -> float:
        return self.first + index * self.interval

    def moments(self) -> list[float]:
        return [self.at(index) for index in range(self.count)]


def free_slots(
    next_slot: float,
    earliest: float,
    rate: float,
    limit: int,
    horizon: float = HORIZON,
) -> Slots:
    """Return the free slots from ``earliest`` up to ``horizon`` later, at most ``limit``.

    ``next_slot`` and ``earliest`` are seconds of the engine's clock, ``rate`` is in
    calls per second. Slots in the past are never handed out.
    """
    interval = 1 / rate
    first = max(next_slot, earliest)
    room = earliest + horizon - first
    fitting = math.floor(room / interval) + 1 if room >= 0 else 0
    return Slots(first, interval, max(0, min(limit, fitting)))


def has_free_slot(
    name: str, clock: EngineClock, earliest: float, horizon: float = HORIZON
) -> bool:
    """Return whether to take the lock. Reads without a lock.

    Always true on SQLite: it has one writer at a time, and the query would gain nothing.
    """
    if clock.boot_id != POSTGRESQL:
        return True
    next_slot = statements.next_slot(name)
    if next_slot is None:
        return True
    return not earliest + horizon < next_slot <= earliest + MAX_LEAD


def locked_pace(name: str, clock: EngineClock) -> Pace:
    """Return the row for one call of one app, locked. Reset it after a reboot.

    Reset it also when its next slot is further ahead than slots are handed out: the
    clock was set back.
    """
    row = statements.lock_pace(name)
    if row is None:
        Pace.objects.get_or_create(name=name, defaults={"boot_id": clock.boot_id})
        row = statements.lock_pace(name)
    pace = Pace(*(row or ()))
    # Read the clock after waiting for the lock: with an older time, slots would be past.
    clock.read_database()
    now = clock.now()
    if pace.boot_id != clock.boot_id or pace.next_slot > now + MAX_LEAD:
        pace.boot_id = clock.boot_id
        pace.next_slot = now + PAUSE_AFTER_SET
        pace.slow_until = 0
        # Save here, because a claim without a free slot in this tick does not save.
        save(pace)
    return pace


def save(pace: Pace) -> None:
    """Write a row that ``locked_pace`` returned."""
    statements.save_pace(
        pace.pk, pace.boot_id, pace.next_slot, pace.slow_until, pace.claimed
    )


def current_rate(pace: Pace, now: float, rate: float) -> float:
    """Return ``rate``, reduced for a minute after a rate limit ErrorCode."""
    is_slow = now < pace.slow_until <= now + SLOW_SECONDS
    return rate * SLOW_FACTOR if is_slow else rate


def wait_for_slot(slot: float, clock: EngineClock) -> bool:
    """Sleep until ``slot``, as machine time. Return whether its call may still start."""
    time.sleep(max(0.0, slot - clock.machine()))
    return clock.machine() <= slot + MAX_START_DELAY
