"""The engine's clock: what slots and leases are counted with.

On SQLite all workers are on one machine: seconds since it started, and which start that
was, so that a jump of the wall clock neither stops sending nor declares a live worker
dead. On PostgreSQL the server's own clock, the same for workers on many machines; each
keeps the difference to its machine's clock and takes it anew once a tick.
"""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# The server's clock goes on when the server or a machine is restarted.
POSTGRESQL = "postgresql"


@dataclass(slots=True)
class EngineClock:
    """``now()`` in seconds; comparable only between equal ``boot_id``.

    ``machine`` is this machine's steady clock, ``ahead`` how many seconds the engine's
    clock is ahead of it.
    """

    boot_id: str
    machine: Callable[[], float]
    ahead: float = 0.0

    def now(self) -> float:
        return self.machine() + self.ahead

    def on_machine(self, moment: float) -> float:
        """A moment of the engine's clock as a moment of ``machine``."""
        return moment - self.ahead

    def read_database(self) -> None:
        """Take the server's time anew; on SQLite there is nothing to take."""
        if self.boot_id != POSTGRESQL:
            return
        asked = self.machine()
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            (server,) = cursor.fetchone()
        self.ahead = server - (asked + self.machine()) / 2


def engine_clock() -> EngineClock:
    """The clock that all workers on the present database share."""
    if connection.vendor == "postgresql":
        clock = EngineClock(POSTGRESQL, _steady)
        clock.read_database()
        return clock
    if BOOT_ID.exists():
        return EngineClock(BOOT_ID.read_text().strip(), _steady)
    # Systems other than Linux: their monotonic clock counts from the start as well.
    return EngineClock(platform.node()[:40], _steady)


def _steady() -> float:
    """Goes on while the machine sleeps, where the system can tell."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
