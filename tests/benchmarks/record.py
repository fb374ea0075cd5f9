"""Benchmarks of the record: sealing, verifying and archiving a large notification.

The baseline of each is the time in which the database returns the same columns.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.report import Figure
from tests.environment import ROOT
from tests.faults.places import Place, environment

# First word of the name → target, and whether more is better.
TARGETS = {"seal": (1.0, False), "verify": (200_000, True), "archive": (60.0, False)}


def record(place: Place, *, rows: int = 100_000) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="notifier-record-") as home:
        env = environment(DATABASE_URL=place.fresh(Path(home)), STATE_DIR=home)
        stage = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.benchmarks.record_stage", str(rows), home],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    return [
        _figure(place.vendor, json.loads(line)) for line in stage.stdout.splitlines()
    ]


def _figure(vendor: str, found: dict) -> Figure:
    target, at_least = TARGETS[found["name"].partition(" ")[0]]
    return Figure(place=vendor, target=target, at_least=at_least, **found)
