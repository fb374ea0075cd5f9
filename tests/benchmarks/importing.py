"""Benchmarks of the import: a file of chat groups, checked and written."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.report import Figure
from tests.environment import ROOT
from tests.faults.places import Place, environment

SECONDS = 20  # for 100,000 rows
MEGABYTES = 150  # for any number


def imports(place: Place, *, rows: int = 100_000) -> list[Figure]:
    """Seconds in the server: the preview, then the confirmation."""
    with tempfile.TemporaryDirectory(prefix="notifier-import-") as home:
        env = environment(DATABASE_URL=place.fresh(Path(home)), STATE_DIR=home)
        stage = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.benchmarks.import_stage", str(rows)],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    targets = {"s": SECONDS * rows / 100_000, "MB": MEGABYTES}
    found = map(json.loads, stage.stdout.splitlines())
    return [
        Figure(place=place.vendor, target=targets[figure["unit"]], **figure)
        for figure in found
    ]
