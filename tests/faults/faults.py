"""The table of faults: effect, databases, number of runs, allowed doubt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.faults import (
    amending,
    archiving,
    databases,
    endpoint,
    people,
    power,
    processes,
    reconciling,
    restoring,
)
from tests.faults.scene import Scene, Sent

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)


class Doubt(Enum):
    """The number of deliveries that one run may leave unconfirmed."""

    NONE = "none"
    UNDER_WAY = "rate × (claim to answer + 0.05 s) + 5"  # a worker died
    ANY = "any"  # the fault itself hides answers
    FEW = "1 %"  # Tencent is asked about each


@dataclass(frozen=True, slots=True)
class Fault:
    """``short`` and ``long`` are numbers of runs."""

    name: str
    run: Callable[[Scene], list[Sent]]
    long: int
    short: int = 1
    places: Sequence[str] = BOTH
    doubt: Doubt = Doubt.NONE
    groups: int = 90
    answers: Sequence[str] = ()  # faults of the stand-in, for one group after another
    answers_long: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    settings_long: Mapping[str, str] = field(default_factory=dict)
    needs_machine: bool = False
    is_control: bool = False  # must show calls that were made twice


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("kill-9", processes.kill_one, long=300, short=3, doubt=Doubt.UNDER_WAY),
        Fault(
            "kill-9-one-of-three",
            processes.kill_one_of_three,
            long=30,
            groups=150,
            doubt=Doubt.UNDER_WAY,
        ),
        Fault("sigterm", processes.terminate, long=30),
        Fault(
            "sigstop",
            processes.stand_still,
            long=5,
            groups=150,
            doubt=Doubt.UNDER_WAY,
        ),
        Fault(
            "threads-die",
            processes.threads_die,
            long=30,
            groups=200,
            doubt=Doubt.ANY,
        ),
        Fault("restart-fast", databases.restart_fast, long=50, places=[POSTGRESQL]),
        Fault(
            "restart-immediate",
            databases.restart_immediate,
            long=50,
            places=[POSTGRESQL],
        ),
        Fault(
            "postgres-away", databases.away, long=10, groups=300, places=[POSTGRESQL]
        ),
        Fault(
            "server-clock",
            databases.clock_set,
            long=10,
            groups=500,
            places=[POSTGRESQL],
        ),
        Fault(
            "server-clock-kill",
            databases.clock_set_after_kill,
            long=10,
            groups=300,
            places=[POSTGRESQL],
            doubt=Doubt.UNDER_WAY,
        ),
        Fault("session-ended", databases.end_session, long=30, places=[POSTGRESQL]),
        Fault(
            "cut-off",
            databases.cut_off,
            long=5,
            groups=150,
            places=[POSTGRESQL],
            doubt=Doubt.UNDER_WAY,
        ),
        Fault("locked-8-s", databases.locked, long=5, places=[SQLITE]),
        Fault(
            "locked-beyond-lease",
            databases.locked_beyond_the_lease,
            long=10,
            groups=300,
            places=[SQLITE],
        ),
        Fault(
            "disk-full",
            databases.disk_full,
            long=10,
            places=[SQLITE],
            needs_machine=True,
        ),
        Fault(
            "disk-full-beside",
            databases.disk_full_beside,
            long=10,
            places=[SQLITE],
            needs_machine=True,
        ),
        Fault(
            "power-cut",
            power.power_cut,
            long=100,
            short=3,
            places=[SQLITE],
            doubt=Doubt.UNDER_WAY,
            needs_machine=True,
        ),
        Fault(
            "power-cut-unsafe",
            power.power_cut_unsafe,
            long=10,
            short=2,
            places=[SQLITE],
            doubt=Doubt.ANY,
            needs_machine=True,
            is_control=True,
        ),
        Fault("archive-beside-readers", archiving.beside_readers, long=10, groups=300),
        Fault("clock-jumps", endpoint.clock_jumps, long=10, needs_machine=True),
        Fault(
            "endpoint-down", endpoint.down, long=3, groups=150, doubt=Doubt.UNDER_WAY
        ),
        Fault(
            "network",
            endpoint.network,
            long=10,
            doubt=Doubt.ANY,
            answers=endpoint.NETWORK,
            answers_long=endpoint.NETWORK_LONG,
        ),
        Fault(
            "reconcile",
            reconciling.reconcile,
            long=25,
            groups=96,
            doubt=Doubt.FEW,
            answers=reconciling.ANSWERS,
            settings=reconciling.SETTINGS,
            settings_long=reconciling.SETTINGS_LONG,
        ),
        Fault(
            "recall",
            amending.recall,
            long=25,
            groups=96,
            doubt=Doubt.FEW,
            answers=amending.RECALL_ANSWERS,
            settings=amending.SETTINGS,
        ),
        Fault(
            "correct",
            amending.correct,
            long=10,
            groups=60,
            doubt=Doubt.FEW,
            answers=amending.CORRECTION_ANSWERS,
            settings=amending.SETTINGS,
        ),
        Fault("double-send", people.double_send, long=200, short=8, groups=8),
        Fault("pause", people.pause, long=10, groups=400),
        Fault("stop", people.stop, long=10, groups=400),
        Fault(
            "restore",
            restoring.restore,
            long=10,
            groups=150,
            doubt=Doubt.ANY,
        ),
    )
}
