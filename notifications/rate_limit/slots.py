"""Pace: when the next calls may start, so that the account's limit holds.

The limit (200 calls a second for this call, counted at Tencent over the whole app)
is kept by handing out slots: moments that lie 1/rate apart. One row in the database
holds the next free slot, so the limit holds over all workers and across restarts. A
slot that is met too late is lost; using it late would let calls bunch up.
"""

import math
import time
from dataclasses import dataclass

from notifications.models import Pace
from notifications.rate_limit.clock import POSTGRESQL, EngineClock

# Slots are handed out at most this far ahead, in seconds.
HORIZON = 0.05

# No slot is ever further ahead: the horizon, the commit, the slowest pace, and a margin.
LONGEST_LEAD = 3.0

# A call starts at most this many seconds after its slot, or not at all.
MAX_START_DELAY = 0.015

# After a frequency code: this share of the pace for so many seconds.
SLOW_SHARE = 0.5

SLOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Slots:
    """``count`` free moments, the first at ``first``, each ``interval`` seconds on."""

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
    wanted: int,
    horizon: float = HORIZON,
) -> Slots:
    """The free slots from ``earliest`` up to ``horizon`` later, at most ``wanted``.

    ``next_slot`` and ``earliest`` are seconds of the engine's clock, ``rate`` is in
    calls per second. Slots in the past are never handed out.
    """
    interval = 1 / rate
    first = max(next_slot, earliest)
    room = earliest + horizon - first
    fitting = math.floor(room / interval) + 1 if room >= 0 else 0
    return Slots(first, interval, max(0, min(wanted, fitting)))


def has_free_slot(
    name: str, clock: EngineClock, earliest: float, horizon: float = HORIZON
) -> bool:
    """Whether the lock is worth taking. A read without a lock.

    On SQLite there is but one writer at a time, and nothing is gained by asking.
    """
    if clock.boot_id != POSTGRESQL:
        return True
    pace = Pace.objects.filter(name=name).first()
    if pace is None:
        return True
    return not earliest + horizon < pace.next_slot <= earliest + LONGEST_LEAD


def locked_pace(name: str, clock: EngineClock) -> Pace:
    """The row for one call of one app, locked; of a former start, it begins anew.

    A next slot that lies further ahead than slots are handed out means that the clock
    was set back: it begins anew as well. One second later no former call can be in the
    same window.
    """
    locked = Pace.objects.select_for_update().filter(name=name)
    pace = locked.first()
    if pace is None:
        Pace.objects.get_or_create(name=name, defaults={"boot_id": clock.boot_id})
        pace = locked.get()
    # "Now" must be of after the lock: waiting for it would make old slots of new ones.
    clock.read_database()
    now = clock.now()
    if pace.boot_id != clock.boot_id or pace.next_slot > now + LONGEST_LEAD:
        pace.boot_id = clock.boot_id
        pace.next_slot = now + 1
        pace.slow_until = 0
        # At once: a claim that finds no slot in this tick writes nothing.
        pace.save()
    return pace


def current_rate(pace: Pace, now: float, rate: float) -> float:
    """``rate``, or less of it for a minute after Tencent said "too often"."""
    is_slow = now < pace.slow_until <= now + SLOW_SECONDS
    return rate * SLOW_SHARE if is_slow else rate


def wait_for_slot(slot: float, clock: EngineClock) -> bool:
    """Sleep until ``slot`` of the machine's clock; whether its call may still start."""
    time.sleep(max(0.0, slot - clock.machine()))
    return clock.machine() <= slot + MAX_START_DELAY
