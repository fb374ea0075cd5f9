"""The benchmarks: ``make bench``, or ``python -m tests.benchmarks --help``.

Figures depend on the machine and its other load. So the report compares each one with
its physical limit or with a bare loop from the same run; the ratio is what counts.
"""

import argparse
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.catalogue import BENCHMARKS
from tests.benchmarks.report import Figure, table
from tests.faults.places import PLACES


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 when a benchmark failed; the others are measured all the same."""
    options = _options(arguments)
    figures: list[Figure] = []
    failed: list[str] = []
    for vendor in options.database:
        for name, found in _measured(vendor, options):
            if found is None:
                failed.append(f"{name} on {vendor}")
                continue
            for figure in found:
                sys.stderr.write(" | ".join(figure.cells()) + "\n")
            figures += found
    sys.stdout.write(f"\n{table(figures)}\n")
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
                    if getattr(options, size) and size in benchmark.small:
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
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
