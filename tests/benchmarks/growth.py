"""Benchmark of growth: the same work for ten, a hundred, a thousand times as much.

Each size has a database of its own. The exponents are computed by growth_report.py.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.report import Figure
from tests.benchmarks.scene import BenchmarkScene
from tests.benchmarks.sending import LATENCY
from tests.environment import ROOT
from tests.faults.places import Place, environment, manage

SMALLEST_GROUPS, SMALLEST_ROWS = 1000, 100_000
MOST_SENT, MOST_AT_PACE = 100_000, 10_000
MEGABYTE = 1_000_000


def growth(
    place: Place, *, groups: int = 1_000_000, rows: int = 10_000_000
) -> list[Figure]:
    """Up to ``groups`` chat groups, and up to ``rows`` deliveries; 0 for none."""
    figures: list[Figure] = []
    for size in sizes(groups, SMALLEST_GROUPS):
        figures += staged(place, "groups", size)
        if size <= MOST_SENT:
            figures += sent(place, "send without limit and latency", size)
        if size <= MOST_AT_PACE:
            figures += sent(place, "send at the real pace", size)
    for size in sizes(rows, SMALLEST_ROWS):
        figures += staged(place, "deliveries", size)
    return figures


def sizes(largest: int, smallest: int) -> list[int]:
    """``largest``, a tenth of it and so on, but not below ``smallest``."""
    found = [largest] if largest else []
    while found and found[0] // 10 >= smallest:
        found.insert(0, found[0] // 10)
    return found


def staged(place: Place, stage: str, size: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="notifier-growth-") as home:
        env = environment(DATABASE_URL=place.fresh(Path(home)), STATE_DIR=home)
        manage(env, "collectstatic", "--no-input", "--verbosity=0")
        done = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.benchmarks.growth_stage", stage, str(size)],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    found = map(json.loads, done.stdout.splitlines())
    return [said(Figure(place=place.vendor, **line)) for line in found]


def sent(place: Place, work: str, size: int) -> list[Figure]:
    """One worker; without the CPU time of PostgreSQL."""
    is_at_pace = work.endswith("pace")
    fast = {} if is_at_pace else {"IM_CALLS_PER_SECOND": "10000"}
    latency = LATENCY if is_at_pace else (0, 0)
    with BenchmarkScene(place, groups=size, latency=latency, **fast) as scene:
        start = scene.cost_of(scene.start_worker("--until-idle"))
        before = scene.order("database_bytes")
        notification = scene.send()
        cost = scene.cost_of(scene.start_worker("--until-idle"))
        scene.check_all_accepted(notification)
        clocks = [clock for _unix, clock in scene.received()]
        disk = scene.order("database_bytes") - before
    return list(
        points(
            place.vendor,
            work,
            size,
            time=(max(clocks) - min(clocks), "s"),
            CPU=(cost.cpu_seconds - start.cpu_seconds, "s"),
            memory=(cost.memory_mb, "MB"),
            disk=(disk / MEGABYTE, "MB"),
        )
    )


def points(
    vendor: str, work: str, size: int, **measures: tuple[float, str]
) -> Iterator[Figure]:
    for measure, (value, unit) in measures.items():
        name = f"{work}: {measure}"
        yield said(Figure(name, vendor, max(0.0, value), unit, size=size))


def said(figure: Figure) -> Figure:
    """Shown at once: all of them take hours."""
    sys.stderr.write(
        f"{figure.place} | {figure.name} | {figure.size:,} | {figure.measured()}\n"
    )
    return figure
