"""Run a fault many times and count the results."""

import math
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import machine
from tests.faults.faults import Doubt, Fault
from tests.faults.places import MANAGE, PLACES, Place
from tests.faults.scene import LATENCY_MS, Scene, Sent
from tests.faults.secrets import secrets_in
from tests.faults.verdict import judge
from tests.faults.watched import NeverCame

CONTROL = [sys.executable, "-m", "tests.faults.control"]
RATE = 190  # calls a second of all workers together
READ_TIMEOUT = "3.5"  # seconds; the least that the worker takes


@dataclass(slots=True)
class Tally:
    """One line of the table. ``problems`` describe the broken promises.

    ``secrets`` are files that contain a key or a signature.
    """

    fault: Fault
    place: str
    runs: int = 0
    deliveries: int = 0
    twice: int = 0
    lost: int = 0
    stuck: int = 0
    unconfirmed: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether the promise held; for a control, whether it was broken."""
        if self.secrets:
            return False
        if self.fault.is_control:
            return self.twice > 0
        return not self.problems

    def cells(self) -> list[str]:
        most = max(self.unconfirmed, default=0)
        mean = sum(self.unconfirmed) / max(1, len(self.unconfirmed))
        name = self.fault.name + (
            " (control: must fail)" if self.fault.is_control else ""
        )
        numbers = [self.runs, self.deliveries, self.twice, self.lost, self.stuck]
        return [
            name,
            self.place,
            *map(str, numbers),
            f"{mean:.1f} / {most} ({self.fault.doubt.value})",
            str(len(self.secrets)),
            "yes" if self.is_kept else "NO",
        ]


COLUMNS = [
    "fault", "database", "runs", "deliveries", "called twice without cause", "lost",
    "stuck", "unconfirmed per run: mean / most (bound)", "files with a secret", "as promised",
]  # fmt: skip


def table(tallies: list[Tally]) -> str:
    """Markdown."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(tally.cells() for tally in tallies)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Stage:
    """What the runs share: a place for the databases, and the preloaded library."""

    def __init__(self, place: Place, home: Path) -> None:
        self.place = place
        self.home = home
        self.library = machine.build(home)

    def play(
        self,
        fault: Fault,
        runs: int,
        *,
        seed: int,
        is_long: bool,
        groups: int = 0,
        report: Callable[[Tally], None] = lambda _tally: None,
    ) -> Tally:
        """Run one fault ``runs`` times in a scene of its own; 0 groups: its own number."""
        tally = Tally(fault, self.place.vendor)
        folder = Path(tempfile.mkdtemp(prefix=f"{fault.name}-", dir=self.home))
        scene = Scene(
            self.place,
            folder,
            name=fault.name,
            groups=groups or fault.groups,
            random_source=random.Random(seed),
            is_long=is_long,
            faults=(is_long and fault.answers_long) or fault.answers,
            settings=dict((is_long and fault.settings_long) or fault.settings)
            | ({"IM_READ_TIMEOUT": READ_TIMEOUT} if fault.answers else {}),
            library=self.library if fault.needs_machine else None,
            entry=CONTROL if fault.is_control else MANAGE,
        )
        try:
            scene.start()
            for _n in range(runs):
                _run(scene, fault, tally)
                report(tally)
        except (NeverCame, AssertionError) as error:
            tally.problems.append(f"run {tally.runs + 1}: {error}")
        finally:
            scene.stop()
        tally.notes = scene.notes
        tally.secrets = secrets_in([folder, *self.place.folders])
        if not (tally.problems or tally.secrets) or fault.is_control:
            scene.remove()
        return tally


def _run(scene: Scene, fault: Fault, tally: Tally) -> None:
    unconfirmed = 0
    sents = fault.run(scene)
    for sent in sents:
        verdict = judge(
            sent.groups or scene.groups, scene.calls(sent), scene.rows(sent)
        )
        tally.deliveries += verdict.deliveries
        tally.twice += verdict.twice
        tally.lost += verdict.lost
        tally.stuck += verdict.stuck
        unconfirmed += verdict.unconfirmed
        tally.problems += [f"“{sent.content}” {text}" for text in verdict.problems]
    tally.runs += 1
    tally.unconfirmed.append(unconfirmed)
    bound = _bound(scene, fault, sents)
    if unconfirmed > bound:
        tally.problems.append(
            f"run {tally.runs}: {unconfirmed} unconfirmed, the bound is {bound:.0f}"
        )


def _bound(scene: Scene, fault: Fault, sents: list[Sent]) -> float:
    """The number of deliveries of a run that may be unconfirmed."""
    if fault.doubt is Doubt.NONE:
        return 0
    if fault.doubt is Doubt.ANY:
        return math.inf
    if fault.doubt is Doubt.FEW:
        return len(scene.groups) / 100
    # Measured, because a busy machine is slower in everything than the endpoint alone.
    ids = [sent.notification for sent in sents]
    seconds = max(LATENCY_MS / 1000, scene.order("under_way", notifications=ids))
    return RATE * (seconds + 0.05) + 5


@contextmanager
def stage(vendor: str) -> Iterator[Stage]:
    """A stage on a database of ``vendor``. What went wrong leaves its folder behind."""
    home = Path(tempfile.mkdtemp(prefix=f"notifier-faults-{vendor}-"))
    place = PLACES[vendor](home)
    try:
        place.start()
        yield Stage(place, home)
    finally:
        place.stop()
        (home / "machine.so").unlink(missing_ok=True)
        if not any(home.iterdir()):
            home.rmdir()
