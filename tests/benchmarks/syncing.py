"""Benchmarks of the sync of the groups: alone, and beside a send with a kill -9."""

import time
from collections import Counter
from itertools import pairwise

from tests.benchmarks.report import Figure, most_in_a_second
from tests.benchmarks.scene import BenchmarkScene
from tests.faults.places import Place
from tests.faults.watched import wait_for

LATENCY = (40, 20)  # milliseconds, give or take
LIMIT = 200
GROUPS_A_CALL = 50
LIST, INFO = "get_appid_group_list", "get_group_info"
PATIENCE = 240.0
LOOK_EVERY = 0.5  # seconds
LONGEST_GAP = 1.0  # seconds; a longer one is a kill, and the next worker's start


def sync(place: Place) -> list[Figure]:
    """100,000 groups into an empty list."""
    with BenchmarkScene(
        place, groups=0, listed=100_000, latency=LATENCY, limit=LIMIT
    ) as scene:
        scene.have_workers(1)
        found = _wait_end(scene, scene.order("sync"))
        return [
            _time("sync of 100,000 groups", scene, found["seconds"]),
            *_limits("sync of 100,000 groups", scene),
        ]


def beside(place: Place) -> list[Figure]:
    """20,000 groups while a send runs; the worker is killed in the middle of both."""
    with BenchmarkScene(
        place, groups=4000, listed=20_000, latency=LATENCY, limit=LIMIT
    ) as scene:
        scene.have_workers(1)
        scene.wait_end(scene.send(), seconds=PATIENCE)
        alone = _pace([clock for _unix, clock in scene.received()])
        sent = scene.send()
        number = scene.order("sync")
        wait_for(
            lambda: len(scene.asked(INFO)) > 8000 / GROUPS_A_CALL,
            "8,000 groups read",
        )
        scene.kill(scene.workers[0])
        scene.have_workers(1)
        found = _wait_end(scene, number)
        scene.wait_end(sent, seconds=PATIENCE)
        rows = scene.rows(sent)
        notices = [clock for _unix, clock in scene.received()]
        name = "sync of 20,000 groups beside a send, worker killed"
        by_status = Counter(row.status for row in rows)
        called_more_than_once = len(notices) - len(rows)
        here = place.vendor
        rate = _pace(notices)
        return [
            Figure(f"{name}: groups in the list", here, found["groups"], "groups",
                   20_000, at_least=True, beside=20_000),
            Figure(f"{name}: added, each counted once", here, found["counts"]["added"],
                   "groups", 16_000, at_least=True, beside=16_000),
            Figure(f"{name}: notices accepted or not confirmed", here,
                   by_status["accepted"] + by_status["unconfirmed"], "groups", 4000,
                   at_least=True, beside=4000,
                   remark=f"{by_status['unconfirmed']} not confirmed"),
            Figure(f"{name}: notices called twice", here,
                   max(0, called_more_than_once), "calls", 0),
            Figure(f"{name}: pace of the send", here, rate, "calls/s", 0.95,
                   at_least=True, beside=alone, of_ratio=True,
                   remark="without the gap of the kill; beside it the same send alone"),
            Figure(f"{name}: most notices in a second", here, most_in_a_second(notices),
                   "calls", LIMIT, beside=LIMIT),
            *_limits(name, scene),
        ]  # fmt: skip


def _wait_end(scene: BenchmarkScene, number: int) -> dict:
    def has_ended() -> bool:
        time.sleep(LOOK_EVERY)  # to look takes the time that is measured
        return scene.order("sync_seconds", sync=number) is not None

    wait_for(has_ended, "the end of the sync", PATIENCE)
    found = scene.order("sync_result", sync=number)
    if found["status"] != "completed":
        raise RuntimeError(f"The sync ended {found['status']}.")
    return found | {"seconds": scene.order("sync_seconds", sync=number)}


def _time(name: str, scene: BenchmarkScene, seconds: float) -> Figure:
    """Beside what the limits allow: the list at one call a second, the rest at 200."""
    lists, infos = len(scene.asked(LIST)), len(scene.asked(INFO))
    allowed = max(lists - 1, infos / LIMIT)
    return Figure(name, scene.place.vendor, seconds, "s", 1.1, beside=allowed,
                  of_ratio=True, remark=f"{lists} + {infos} calls")  # fmt: skip


def _limits(name: str, scene: BenchmarkScene) -> list[Figure]:
    lists, infos = scene.asked(LIST), scene.asked(INFO)
    refused = sum(code == 60007 for _clock, code in (*lists, *infos))
    here = scene.place.vendor
    return [
        Figure(f"{name}: most calls of the list in a second", here,
               most_in_a_second([clock for clock, _code in lists]), "calls", 1, beside=1),
        Figure(f"{name}: most calls for details in a second", here,
               most_in_a_second([clock for clock, _code in infos]), "calls", LIMIT,
               beside=LIMIT),
        Figure(f"{name}: calls refused as too many", here, refused, "calls", 0),
    ]  # fmt: skip


def _pace(clocks: list[float]) -> float:
    """Notices per second, without the seconds that nobody sent because of a kill."""
    gaps = [later - one for one, later in pairwise(sorted(clocks))]
    return len(gaps) / sum(gap for gap in gaps if gap < LONGEST_GAP)
