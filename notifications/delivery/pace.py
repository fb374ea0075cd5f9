"""Pace: when the next calls may start, so that the account's limit holds.

The limit (200 calls a second for this call, counted at Tencent over the whole app)
is kept by handing out slots: moments that lie 1/rate apart. One row in the database
holds the next free slot, so the limit holds over all workers and across restarts. A
slot that is met too late is lost; using it late would let calls bunch up.
"""

import math
from dataclasses import dataclass

from notifications.models import Pace

from .clock import EngineClock

# Slots are handed out at most this far ahead, in seconds.
HORIZON = 0.05
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


def free_slots(next_slot: float, earliest: float, rate: float, wanted: int) -> Slots:
    """The free slots from ``earliest`` up to ``HORIZON`` later, at most ``wanted``.

    ``next_slot`` and ``earliest`` are seconds of the engine's clock, ``rate`` is in
    calls per second. Slots in the past are never handed out.
    """
    interval = 1 / rate
    first = max(next_slot, earliest)
    room = earliest + HORIZON - first
    fitting = math.floor(room / interval) + 1 if room >= 0 else 0
    return Slots(first, interval, max(0, min(wanted, fitting)))


def locked_pace(name: str, clock: EngineClock) -> Pace:
    """The row for one call of one app, locked; of a former start, it begins anew."""
    Pace.objects.get_or_create(name=name, defaults={"boot_id": clock.boot_id})
    pace = Pace.objects.select_for_update().get(name=name)
    if pace.boot_id != clock.boot_id:
        # One second after the restart no former call can be in the same window.
        pace.boot_id = clock.boot_id
        pace.next_slot = clock.now() + 1
        pace.slow_until = 0
    return pace


def current_rate(pace: Pace, now: float, rate: float) -> float:
    """``rate``, or less of it for a minute after Tencent said "too often"."""
    return rate * SLOW_SHARE if now < pace.slow_until else rate
