"""The engine's clock, which measures slots and leases.

On SQLite all workers run on one machine. The clock counts seconds since the machine
booted, together with an id of that boot: a jump of the wall clock neither stops sending
nor expires the lease of a live worker. On PostgreSQL it is the clock of the server, the
same for workers on many machines; each worker stores the offset to the clock of its
machine and refreshes it. When that clock is set, slots of before and after are not
comparable, so a worker that notices it pauses (``RateLimiter``).
"""

import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from notifications.db.prepared import execute

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# The boot id on PostgreSQL: its clock continues after a restart.
POSTGRESQL = "postgresql"

# A clock that is being corrected gains or loses less than this share of the time.
MAX_DRIFT = 0.1


@dataclass(slots=True)
class EngineClock:
    """``now()`` returns seconds, comparable only between clocks with equal ``boot_id``.

    ``machine`` is the monotonic clock of this machine; ``offset`` is the number of
    seconds by which the engine's clock is ahead of it. ``set_at`` is the time of
    ``machine`` when it was noticed that the server's clock had been set.
    """

    boot_id: str
    machine: Callable[[], float]
    offset: float = 0.0
    set_at: float = -math.inf
    _read_at: float = math.inf  # by ``machine``
    _error: float = 0.0  # of ``offset``

    def now(self) -> float:
        return self.machine() + self.offset

    def to_machine_time(self, moment: float) -> float:
        """Convert a moment of the engine's clock to one of ``machine``."""
        return moment - self.offset

    def read_database(self) -> None:
        """Refresh ``offset`` from the server's clock; does nothing on SQLite."""
        if self.boot_id != POSTGRESQL:
            return
        before = self.machine()
        sql = "SELECT extract(epoch FROM clock_timestamp())::float8"
        ((server_time,),) = execute(sql)
        after = self.machine()
        offset, error = server_time - (before + after) / 2, (after - before) / 2
        drift = MAX_DRIFT * (after - self._read_at)  # negative before the first reading
        if 0 <= drift < abs(offset - self.offset) - error - self._error:
            self.set_at = after
        self.offset, self._error, self._read_at = offset, error, after


def engine_clock() -> EngineClock:
    """Return the clock that all workers on the default database share."""
    if connection.vendor == "postgresql":
        clock = EngineClock(POSTGRESQL, _monotonic)
        clock.read_database()
        return clock
    if BOOT_ID.exists():
        return EngineClock(BOOT_ID.read_text().strip(), _monotonic)
    # On systems other than Linux the monotonic clock counts from the boot as well.
    return EngineClock(platform.node()[:40], _monotonic)


def _monotonic() -> float:
    """Return monotonic seconds, including time asleep where the system supports it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
