"""Benchmarks of the history: lists, searches, pages and export over many deliveries."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.report import Figure
from tests.environment import ROOT
from tests.faults.places import Place, environment, manage

# Unit → target, and whether more is better.
PAGE, OVERVIEW, FIRST_ROWS = 100, 150, 0.2
SPEED, MEMORY = 30_000, 30


def history(place: Place, *, rows: int = 10_000_000, times: int = 5) -> list[Figure]:
    """Milliseconds in the server, compared with the stock admin list of the table."""
    with tempfile.TemporaryDirectory(prefix="notifier-history-") as home:
        env = environment(DATABASE_URL=place.fresh(Path(home)), STATE_DIR=home)
        manage(env, "collectstatic", "--no-input", "--verbosity=0")
        figures = []
        with subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.benchmarks.history_stage", str(rows),
             str(times)],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True,
        ) as stage:  # fmt: skip
            for line in stage.stdout:
                figure = _figure(place.vendor, json.loads(line))
                sys.stderr.write(" | ".join(figure.cells()) + "\n")
                figures.append(figure)
        if stage.returncode:
            raise RuntimeError("The benchmark of the history failed.")
    return figures


def _figure(vendor: str, found: dict) -> Figure:
    name, unit = found["name"], found["unit"]
    if unit == "rows/s":
        return Figure(place=vendor, target=SPEED, at_least=True, **found)
    target = {"MB": MEMORY, "s": FIRST_ROWS, "ms": PAGE}[unit]
    if name == "/":
        target = OVERVIEW
    if name.startswith("made"):
        target = 3600
    return Figure(place=vendor, target=target, **found)
