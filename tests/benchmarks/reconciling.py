"""Benchmarks of the queries about what is not confirmed: alone, and beside a send."""

import time

from tests.benchmarks.report import Figure
from tests.benchmarks.scene import PACE, BenchmarkScene
from tests.faults.places import Place
from tests.faults.watched import wait_for

LATENCY = (40, 20)  # milliseconds, jitter
AGAIN_AFTER = 10.0  # seconds, the least that is allowed, instead of 60
PATIENCE = 300.0


def reconcile(place: Place, *, groups: int = 2000, rows: int = 10_000) -> list[Figure]:
    """``rows`` group messages that are in no history; then a send beside as many."""
    with BenchmarkScene(
        place,
        groups=groups,
        latency=LATENCY,
        IM_QUERY_AGAIN_AFTER_SECONDS=str(AGAIN_AFTER),
    ) as scene:
        asked = scene.order("leave_unconfirmed", count=rows)
        cost = scene.cost_of(scene.start_worker("--until-idle"))
        found = scene.order("asked", notification=asked)
        if found["reasons"] != {"not_in_history": rows}:
            raise RuntimeError(f"The queries ended with {found}.")
        scene.have_workers(1)
        _pace(scene)  # its connections are open then
        alone = _pace(scene)
        beside = scene.order("leave_unconfirmed", count=rows)
        wait_for(lambda: _queries(scene, beside) > 0, "the first query", PATIENCE)
        together = _pace(scene)
        queries = _queries(scene, beside)
    here = place.vendor
    name = f"{rows:,} not confirmed, each asked about twice"
    return [
        Figure(f"{name}: settled in", here, found["seconds"] - AGAIN_AFTER, "s", 180,
               beside=2 * rows / PACE, remark="without the waiting time"),
        Figure(f"{name}: memory of the worker, most", here, cost.memory_mb, "MB", 100),
        Figure(f"send beside {rows:,} not confirmed: pace", here, together, "calls/s",
               0.98, at_least=True, beside=alone, of_ratio=True,
               remark=f"{queries} queries meanwhile; beside it the same send alone"),
    ]  # fmt: skip


def _pace(scene: BenchmarkScene) -> float:
    """Send to all groups; the calls per second."""
    scene.received()
    sent = scene.send()
    scene.wait_end(sent, seconds=PATIENCE)
    scene.check_all_accepted(sent)
    clocks = [clock for _unix, clock in scene.received()]
    return (len(clocks) - 1) / (max(clocks) - min(clocks))


def _queries(scene: BenchmarkScene, notification: int) -> int:
    time.sleep(0.1)  # a query takes CPU time that is measured
    return scene.order("query_count", notification=notification)
