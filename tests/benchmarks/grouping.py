"""Benchmarks of the pages of 100,000 chat groups: the list, labels, audiences."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.report import Figure
from tests.environment import ROOT
from tests.faults.places import Place, environment, manage

# By the unit: a page in milliseconds, a label on every group in seconds.
TARGETS = {"ms": 100, "s": 2}


def grouping(place: Place, *, groups: int = 100_000, times: int = 5) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="notifier-grouping-") as home:
        env = environment(DATABASE_URL=place.fresh(Path(home)), STATE_DIR=home)
        manage(env, "collectstatic", "--no-input", "--verbosity=0")
        stage = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.benchmarks.grouping_stage",
             str(groups), str(times)],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    found = [json.loads(line) for line in stage.stdout.splitlines()]
    return [
        Figure(place=place.vendor, target=TARGETS[line["unit"]], **line)
        for line in found
    ]
