"""The benchmarks: ``make bench``, or ``python -m tests.benchmarks --help``.

Figures depend on the machine and on what else runs on it; so each stands beside its
physical limit or a bare loop from the same run, and the ratio is what counts.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import (
    accepting,
    checking,
    grouping,
    history,
    importing,
    record,
    sending,
    syncing,
)
from tests.benchmarks.report import Figure, table
from tests.faults.places import PLACES, Place

BENCHMARKS: dict[str, Callable[[Place], list[Figure]]] = {
    "pace": sending.pace,
    "limit": sending.limit,
    "speed": sending.speed,
    "first-call": sending.first_call,
    "drain": sending.drain,
    "accept": accepting.accept,
    "check": checking.checking,
    "import": importing.imports,
    "record": record.record,
    "history": history.history,
    "grouping": grouping.grouping,
    "sync": syncing.sync,
    "sync-beside": syncing.beside,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--database", nargs="+", choices=PLACES, default=list(PLACES))
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    figures: list[Figure] = []
    for vendor in options.database:
        with tempfile.TemporaryDirectory(prefix="notifier-benchmarks-") as home:
            place = PLACES[vendor](Path(home))
            try:
                place.start()
                for name in options.names or BENCHMARKS:
                    found = BENCHMARKS[name](place)
                    for figure in found:
                        sys.stderr.write(" | ".join(figure.cells()) + "\n")
                    figures += found
            finally:
                place.stop()
    sys.stdout.write(f"\n{table(figures)}\n")


if __name__ == "__main__":
    main()
