"""The benchmarks: ``make bench``, or ``python -m tests.benchmarks --help``.

It ends with one table of all figures. ``--keep`` adds them to docs/performance.jsonl, each
benchmark as soon as it has ended, and makes the tables of docs/performance.md from that
file; ``--write-docs`` does only the latter. Figures depend on the machine and its other load. So the report compares each one with
its physical limit or with a bare loop from the same run; the ratio is what counts.
"""

import argparse
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import results
from tests.benchmarks.catalogue import BENCHMARKS
from tests.benchmarks.growth_report import growth_table
from tests.benchmarks.report import Figure, table
from tests.benchmarks.results import Result
from tests.faults.places import PLACES


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 when a benchmark failed; the others are measured all the same."""
    options = _options(arguments)
    if options.write_docs:
        results.write_document()
        return 0
    figures: list[Figure] = []
    failed: list[str] = []
    for vendor in options.database:
        for name, found in _measured(vendor, options):
            if found is None:
                failed.append(f"{name} on {vendor}")
                continue
            if options.keep:
                results.keep([Result(options.run, name, figure) for figure in found])
            for figure in (one for one in found if one.size is None):
                sys.stderr.write(" | ".join(figure.cells()) + "\n")
            figures += found
    if options.keep:
        results.write_document()
    sys.stdout.write(f"\n{table([one for one in figures if one.size is None])}\n")
    if points := [one for one in figures if one.size is not None]:
        sys.stdout.write(f"\n{growth_table(points)}\n")
    for name in failed:
        sys.stderr.write(f"Not measured, it failed: {name}\n")
    return 1 if failed else 0


def _measured(
    vendor: str, options: argparse.Namespace
) -> Iterator[tuple[str, list[Figure] | None]]:
    """The figures of each benchmark; ``None`` for one that failed."""
    with tempfile.TemporaryDirectory(prefix="notifier-benchmarks-") as home:
        place = PLACES[vendor](Path(home))
        try:
            place.start()
            for name in options.names or BENCHMARKS:
                benchmark = BENCHMARKS[name]
                sizes = dict(benchmark.small) if options.small else {}
                for size in ("groups", "rows"):
                    if getattr(options, size) is not None and size in benchmark.small:
                        sizes[size] = getattr(options, size)
                try:
                    found = benchmark.measure(place, **sizes)
                except Exception:  # noqa: BLE001  reported at the end
                    traceback.print_exc()
                    found = None
                yield name, found
        finally:
            place.stop()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--database", nargs="+", choices=PLACES, default=list(PLACES))
    parser.add_argument("--small", action="store_true", help="only shows that it runs")
    parser.add_argument("--groups", type=int, help="instead of its own number")
    parser.add_argument("--rows", type=int, help="instead of its own number")
    parser.add_argument("--keep", action="store_true", help="in docs/performance.jsonl")
    parser.add_argument("--write-docs", action="store_true", help="from the kept ones")
    parser.add_argument(
        "--run", default=f"{datetime.now(UTC):%Y-%m-%d}", help="name of this run"
    )
    options = parser.parse_args(arguments)
    if options.keep and options.small:
        parser.error("--small figures are meaningless, so they are not kept")
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
