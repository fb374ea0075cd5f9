"""Benchmarks of Write and Check for 100,000 chat groups."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.report import Figure
from tests.environment import ROOT
from tests.faults.places import Place, environment, manage

# Limits in milliseconds in the server, by measurement.
TARGETS = {"check": 500, "search": 50, "write": 500, "count": 500}


def checking(place: Place, *, groups: int = 100_000, times: int = 5) -> list[Figure]:
    """Pages, counts and suggestions with the largest possible selection."""
    with tempfile.TemporaryDirectory(prefix="notifier-checking-") as home:
        env = environment(DATABASE_URL=place.fresh(Path(home)), STATE_DIR=home)
        manage(env, "collectstatic", "--no-input", "--verbosity=0")
        stage = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.benchmarks.checking_stage",
             str(groups), str(times)],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    found = [json.loads(line) for line in stage.stdout.splitlines()]
    return [
        Figure(
            place=place.vendor,
            unit="ms",
            target=TARGETS[line["name"].partition(" ")[0]],
            **line,
        )
        for line in found
    ]
