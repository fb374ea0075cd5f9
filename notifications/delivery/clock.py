"""The engine's clock: seconds since the machine started, and which start that was.

Slots and leases are counted with it, so that a jump of the wall clock neither stops
sending nor declares a live worker dead. It goes on while the machine sleeps.
"""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class EngineClock:
    """``now()`` in seconds; comparable only between equal ``boot_id``."""

    boot_id: str
    now: Callable[[], float]


def machine_clock() -> EngineClock:
    """The clock of this machine, the same in every process on it."""
    if BOOT_ID.exists():
        return EngineClock(BOOT_ID.read_text().strip(), _boot_time)
    # Systems other than Linux: their monotonic clock counts from the start as well.
    return EngineClock(platform.node()[:40], time.monotonic)


def _boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
