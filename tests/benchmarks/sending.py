"""Benchmarks of the worker: pace, limit, cost, first call, stop."""

import time

from tests.benchmarks.report import Figure, most_in_a_second, quantile
from tests.benchmarks.scene import PACE, BenchmarkScene
from tests.faults.places import Place
from tests.faults.watched import wait_for

LATENCY = (80, 40)  # milliseconds, jitter
LIMIT = 200
THREADS = 32
# Of a bare loop, without latency and limit.
SPEED = {"sqlite": 0.75, "postgresql": 0.6}


def pace(place: Place, *, groups: int = 3000) -> list[Figure]:
    """One worker below the rate limit: its rate, CPU time and memory."""
    with BenchmarkScene(place, groups=groups, latency=LATENCY) as scene:
        start = scene.cost_of(scene.start_worker("--until-idle"))
        sent = scene.send()
        cost = scene.cost_of(scene.start_worker("--until-idle"))
        scene.check_all_accepted(sent)
        clocks = [clock for _unix, clock in scene.received()]
        claims = scene.order("claimed")
        _rate, bare_cpu = scene.bare(groups, THREADS, PACE)
    cpu = (cost.cpu_seconds - start.cpu_seconds) / groups * 1000
    rate = (len(clocks) - 1) / (max(clocks) - min(clocks))
    here = place.vendor
    return [
        Figure("pace, one worker", here, rate, "calls/s", 0.95, at_least=True, beside=PACE,
               of_ratio=True),
        Figure("most calls in a second, one worker", here, most_in_a_second(clocks),
               "calls", LIMIT, beside=LIMIT),
        Figure("CPU of the worker beside a bare loop at the same pace", here, cpu,
               "s per 1000 calls", 1.4, beside=bare_cpu, of_ratio=True,
               remark=f"and {start.cpu_seconds:.1f} s to start"),
        Figure("claims for these calls: more are slots that were missed", here, claims,
               "claims", 1.05, beside=len(clocks), of_ratio=True),
        Figure("memory of the worker, most", here, cost.memory_mb, "MB", 100),
    ]  # fmt: skip


def limit(
    place: Place, *, groups: int = 2000, restarted_after: int = 800
) -> list[Figure]:
    """The rate limit with two workers, of which one is stopped and replaced."""
    with BenchmarkScene(place, groups=groups, latency=LATENCY) as scene:
        scene.have_workers(2)
        sent = scene.send()
        clocks: list[float] = []

        def is_under_way() -> bool:
            time.sleep(0.05)
            clocks.extend(clock for _unix, clock in scene.received())
            return len(clocks) >= restarted_after

        wait_for(is_under_way, f"{restarted_after} calls")
        scene.drain(scene.workers[0])
        scene.have_workers(2)
        scene.wait_end(sent)
        scene.check_all_accepted(sent)
        clocks += [clock for _unix, clock in scene.received()]
    return [
        Figure("most calls in a second, two workers, one restarted", place.vendor,
               most_in_a_second(clocks), "calls", LIMIT, beside=LIMIT),
    ]  # fmt: skip


def speed(place: Place, *, groups: int = 6000) -> list[Figure]:
    """The overhead of the engine, without latency and rate limit."""
    with BenchmarkScene(place, groups=groups, IM_CALLS_PER_SECOND="10000") as scene:
        before, _cpu = scene.bare(groups, THREADS)
        sent = scene.send()
        scene.cost_of(scene.start_worker("--until-idle"))
        scene.check_all_accepted(sent)
        clocks = [clock for _unix, clock in scene.received()]
        after, _cpu = scene.bare(groups, THREADS)
    rate = (len(clocks) - 1) / (max(clocks) - min(clocks))
    return [
        Figure("no latency, no limit", place.vendor, rate, "calls/s",
               SPEED[place.vendor], at_least=True,
               beside=(before + after) / 2, of_ratio=True),
    ]  # fmt: skip


def first_call(place: Place, *, sends: int = 20) -> list[Figure]:
    """From the end of Send to the first call at the endpoint, with an idle worker."""
    waits: list[float] = []
    with BenchmarkScene(place, groups=1) as scene:
        scene.have_workers(1)
        for _n in range(sends):
            time.sleep(1.1)  # the worker is idle again
            sent = scene.send()
            began = time.time()
            calls: list[tuple[float, float]] = []

            def is_called(calls: list[tuple[float, float]] = calls) -> bool:
                time.sleep(0.02)
                calls.extend(scene.received())
                return bool(calls)

            wait_for(is_called, "the first call")
            waits.append(max(0.0, calls[0][0] - began))
            scene.wait_end(sent)
            scene.check_all_accepted(sent)
    return [
        Figure("first call after Send, median", place.vendor, quantile(waits, 0.5), "s",
               0.3),
        Figure(f"first call after Send, worst of {sends}", place.vendor, max(waits), "s", 0.3),
    ]  # fmt: skip


def drain(place: Place, *, groups: int = 2000, times: int = 5) -> list[Figure]:
    """From SIGTERM in the middle of a send to the worker's exit, the maximum."""
    seconds: list[float] = []
    with BenchmarkScene(place, groups=groups, latency=LATENCY) as scene:
        sent = scene.send()
        for _n in range(times):
            scene.have_workers(1)
            time.sleep(0.5)
            if not scene.order("state", notifications=[sent.notification])["open"]:
                raise RuntimeError("The send has ended before the worker.")
            seconds.append(scene.drain(scene.workers[0]))
    slowest = sum(LATENCY) / 1000
    return [
        Figure(f"SIGTERM to the end, worst of {times}", place.vendor, max(seconds), "s", 15,
               beside=slowest),
    ]  # fmt: skip
