"""All benchmarks, in the order in which they run."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks import (
    accepting,
    beside,
    checking,
    grouping,
    growth,
    history,
    importing,
    recalling,
    reconciling,
    record,
    sending,
    syncing,
)
from tests.benchmarks.report import Figure


@dataclass(frozen=True, slots=True)
class Benchmark:
    """``measure(place)`` at its own size, ``measure(place, **small)`` in seconds.

    The small form only checks that the benchmark runs; its figures are meaningless.
    """

    measure: Callable[..., list[Figure]]
    small: dict[str, int]


BENCHMARKS = {
    "pace": Benchmark(sending.pace, {"groups": 96}),
    "limit": Benchmark(sending.limit, {"groups": 300, "restarted_after": 50}),
    "speed": Benchmark(sending.speed, {"groups": 96}),
    "first-call": Benchmark(sending.first_call, {"sends": 2}),
    "recall": Benchmark(recalling.recall, {"groups": 300}),
    "drain": Benchmark(sending.drain, {"groups": 1000, "times": 1}),
    "accept": Benchmark(
        accepting.accept, {"groups": 200, "sends": 1, "idle_seconds": 1}
    ),
    "accept-beside": Benchmark(accepting.accept_beside, {"groups": 1500, "seconds": 1}),
    "check": Benchmark(checking.checking, {"groups": 200, "times": 1}),
    "import": Benchmark(importing.imports, {"rows": 200}),
    "record": Benchmark(record.record, {"rows": 200}),
    "reconcile": Benchmark(reconciling.reconcile, {"groups": 48, "rows": 60}),
    "history": Benchmark(history.history, {"rows": 10_000, "times": 1}),
    "grouping": Benchmark(grouping.grouping, {"groups": 200, "times": 1}),
    "beside": Benchmark(beside.beside, {"groups": 300, "viewers": 4}),
    "sync": Benchmark(syncing.sync, {"groups": 200}),
    "sync-beside": Benchmark(
        syncing.beside, {"groups": 300, "listed": 2000, "killed_after": 400}
    ),
    "growth": Benchmark(growth.growth, {"groups": 100, "rows": 10_000}),
    "everything": Benchmark(beside.everything, {"groups": 300, "viewers": 4}),
}
