"""Benchmarks of the sync of the groups: alone, and during a send with a kill -9."""

import time
from collections import Counter
from itertools import pairwise

from tests.benchmarks.report import Figure, most_in_a_second
from tests.benchmarks.scene import BenchmarkScene
from tests.faults.places import Place
from tests.faults.watched import wait_for

LATENCY = (40, 20)  # milliseconds, jitter
LIMIT = 200
GROUPS_A_CALL = 50
LIST, INFO = "get_appid_group_list", "get_group_info"
PATIENCE = 240.0
POLL_SECONDS = 0.5
LONGEST_GAP = 1.0  # seconds; a longer one is a kill, and the next worker's start


def sync(place: Place, *, groups: int = 100_000) -> list[Figure]:
    """Sync all groups into an empty list."""
    name = f"sync of {groups:,} groups"
    with BenchmarkScene(
        place, groups=0, listed=groups, latency=LATENCY, limit=LIMIT
    ) as scene:
        scene.have_workers(1)
        found = wait_sync_end(scene, scene.order("sync"))
        if found["groups"] != groups:
            raise RuntimeError(f"The sync left {found['groups']} groups.")
        return [_time(name, scene, found["seconds"]), *_limits(name, scene)]


def beside(
    place: Place,
    *,
    groups: int = 4000,
    listed: int = 20_000,
    killed_after: int = 8000,
) -> list[Figure]:
    """A sync while a send runs; the worker is killed in the middle of both.

    ``groups`` are known before and are sent to; after ``killed_after`` of those that
    are ``listed`` were read, the worker is killed.
    """
    with BenchmarkScene(
        place, groups=groups, listed=listed, latency=LATENCY, limit=LIMIT
    ) as scene:
        scene.have_workers(1)
        sent = scene.send()
        scene.wait_end(sent, seconds=PATIENCE)
        scene.check_all_accepted(sent)
        alone = _pace([clock for _unix, clock in scene.received()])
        sent = scene.send()
        number = scene.order("sync")
        wait_for(
            lambda: len(scene.asked(INFO)) > killed_after / GROUPS_A_CALL,
            f"{killed_after} groups read",
        )
        scene.kill(scene.workers[0])
        scene.have_workers(1)
        found = wait_sync_end(scene, number)
        scene.wait_end(sent, seconds=PATIENCE)
        rows = scene.rows(sent)
        notices = [clock for _unix, clock in scene.received()]
        name = f"sync of {listed:,} groups beside a send, worker killed"
        new = listed - groups
        by_status = Counter(row.status for row in rows)
        called_more_than_once = len(notices) - len(rows)
        here = place.vendor
        rate = _pace(notices)
        return [
            Figure(f"{name}: groups in the list", here, found["groups"], "groups",
                   listed, at_least=True, beside=listed),
            Figure(f"{name}: added, each counted once", here, found["counts"]["added"],
                   "groups", new, at_least=True, beside=new),
            Figure(f"{name}: notices accepted or not confirmed", here,
                   by_status["accepted"] + by_status["unconfirmed"], "groups", groups,
                   at_least=True, beside=groups,
                   remark=f"{by_status['unconfirmed']} not confirmed"),
            Figure(f"{name}: notices called twice", here,
                   max(0, called_more_than_once), "calls", 0),
            Figure(f"{name}: pace of the send", here, rate, "calls/s", 0.98,
                   at_least=True, beside=alone, of_ratio=True,
                   remark="without the gap of the kill; beside it the same send alone"),
            Figure(f"{name}: most notices in a second", here, most_in_a_second(notices),
                   "calls", LIMIT, beside=LIMIT),
            *_limits(name, scene),
        ]  # fmt: skip


def wait_sync_end(scene: BenchmarkScene, number: int) -> dict:
    def has_ended() -> bool:
        time.sleep(POLL_SECONDS)  # a query takes CPU time that is measured
        return scene.order("sync_seconds", sync=number) is not None

    wait_for(has_ended, "the end of the sync", PATIENCE)
    found = scene.order("sync_result", sync=number)
    if found["status"] != "completed":
        raise RuntimeError(f"The sync ended {found['status']}.")
    return found | {"seconds": scene.order("sync_seconds", sync=number)}


def _time(name: str, scene: BenchmarkScene, seconds: float) -> Figure:
    """Compare with the rate limits: one call per second for lists, 200 for others."""
    lists, infos = len(scene.asked(LIST)), len(scene.asked(INFO))
    allowed = max(lists - 1, infos / LIMIT)
    return Figure(name, scene.place.vendor, seconds, "s", 1.15, beside=allowed,
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
    """Notices per second, without the gap after the kill."""
    gaps = [later - one for one, later in pairwise(sorted(clocks))]
    return len(gaps) / sum(gap for gap in gaps if gap < LONGEST_GAP)
