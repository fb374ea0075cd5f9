"""Benchmark of a recall: its pace, and the time from the click to the first call."""

import time
import uuid
from collections import Counter

from tests.benchmarks.report import Figure, most_in_a_second
from tests.benchmarks.scene import PACE, BenchmarkScene
from tests.faults.places import Place
from tests.faults.scene import Sent
from tests.faults.watched import wait_for

LATENCY = (80, 40)  # milliseconds, jitter
LIMIT = 200
PATIENCE = 300.0
COMMAND = "group_msg_recall"


def recall(place: Place, *, groups: int = 10_000) -> list[Figure]:
    """Of a finished send to all groups; then pressed in the middle of another one."""
    with BenchmarkScene(
        place, groups=groups, latency=LATENCY, IM_DEFAULT_CHANNEL="group_message"
    ) as scene:
        scene.have_workers(1)
        sent = scene.send()
        scene.wait_end(sent, seconds=PATIENCE)
        scene.check_all_accepted(sent)
        began, run = _press(scene, sent)
        accepted = time.monotonic()
        scene.wait_end(run, seconds=PATIENCE)
        scene.check_all_accepted(run)
        clocks = _clocks(scene, began)
        half_sent = scene.send()
        scene.received()
        wait_for(lambda: _is_half_sent(scene, half_sent), "half of the calls", PATIENCE)
        middle, second = _press(scene, half_sent)
        scene.wait_end(half_sent, second, seconds=PATIENCE)
        later = _clocks(scene, middle)
        rows = scene.rows(second)
    # A call that was claimed but had missed its slot was not made: no message to recall.
    by_status = Counter(row.status for row in rows)
    if by_status["accepted"] != len(later) or by_status.keys() - {
        "accepted",
        "cancelled",
    }:
        raise RuntimeError(f"{dict(by_status)} after {len(later)} recalls.")
    rate = (len(clocks) - 1) / (max(clocks) - min(clocks))
    here, name = place.vendor, f"recall of {groups:,}"
    return [
        Figure(f"{name}: pace", here, rate, "calls/s", 0.95, at_least=True, beside=PACE,
               of_ratio=True),
        Figure(f"{name}: most calls in a second", here, most_in_a_second(clocks),
               "calls", LIMIT, beside=LIMIT),
        Figure(f"{name}: first call after the click", here, min(clocks) - began, "s", 2,
               remark=f"the service took {accepted - began:.2f} s"),
        Figure("recall in the middle of the send: first call after the click", here,
               min(later) - middle, "s", 2),
        Figure("recall in the middle of the send: all taken back", here,
               max(later) - middle, "s", 1.2, beside=len(later) / PACE, of_ratio=True,
               remark=f"{len(later)} of {groups} messages"),
    ]  # fmt: skip


def _press(scene: BenchmarkScene, sent: Sent) -> tuple[float, Sent]:
    """Take it back; monotonic seconds of the click, and the run."""
    began = time.monotonic()
    run = scene.order(
        "recall",
        notification=sent.notification,
        content=f"{sent.content}: wrong",
        token=str(uuid.uuid4()),
    )
    return began, Sent(run["notification"], "", groups=run["groups"])


def _clocks(scene: BenchmarkScene, since: float) -> list[float]:
    """Monotonic seconds of the recalls; all processes of a machine share this clock."""
    return [clock for clock, _code in scene.asked(COMMAND) if clock >= since]


def _is_half_sent(scene: BenchmarkScene, sent: Sent) -> bool:
    time.sleep(0.1)
    left = scene.order("state", notifications=[sent.notification])["open"]
    return bool(left <= len(scene.groups) / 2)
