"""Archiving while other processes read the same rows."""

import itertools
import json
import subprocess
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from tests.environment import ROOT
from tests.faults.places import MANAGE
from tests.faults.scene import Scene, Sent
from tests.faults.watched import Process, wait_for

REFUSED = 2


def beside_readers(scene: Scene) -> list[Sent]:
    """Verification finds no difference, and each file holds all rows or none.

    Another notification is sent afterwards.
    """
    scene.have_workers(1)
    earlier = scene.send()
    scene.wait_end(earlier)
    number = str(earlier.notification)
    counter = itertools.count()

    def new_file() -> Path:
        return scene.folder / f"{number}-{next(counter)}"

    wait_for(lambda: _evidence(scene, number, new_file()), "the seal")
    archive = scene.folder / "archive"
    archive.mkdir(exist_ok=True)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    archiving = Process(
        [*MANAGE, "archive_history", "--before", tomorrow, "--to", str(archive)],
        scene.env,
        scene.log_file("archive"),
    )
    reads: list[Callable[[], object]] = [
        lambda: _verify(scene, archive),
        lambda: _export(scene, number, new_file()),
        lambda: _evidence(scene, number, new_file()),
    ]
    with ThreadPoolExecutor(len(reads)) as readers:
        for _ in readers.map(lambda read: _repeat(read, archiving), reads):
            pass  # raises the error of each
    if archiving.wait() or not (archive / f"notification-{number}.jsonl.gz").exists():
        raise AssertionError(f"Nothing was archived; see {archiving.log}")
    sent = scene.send()
    scene.wait_end(sent)
    return [sent]


def _repeat(read: Callable[[], object], archiving: Process) -> None:
    """The last time begins after the end of archiving."""
    while archiving.is_alive:
        read()
    read()


def _run(scene: Scene, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own commands
        [*MANAGE, *arguments],
        env=scene.env,
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )


def _verify(scene: Scene, archive: Path) -> None:
    done = _run(scene, "verify_history", "--archive", str(archive))
    if done.returncode:
        raise AssertionError(f"verify_history: {done.stdout}{done.stderr}")


def _export(scene: Scene, number: str, file: Path) -> None:
    done = _run(
        scene, "export_history", "--format", "jsonl", "--notification", number,
        "--output", str(file),
    )  # fmt: skip
    lines = file.read_text().splitlines() if file.exists() else []
    if done.returncode or len(lines) not in (0, len(scene.groups)):
        raise AssertionError(f"export_history: {len(lines)} lines; {done.stderr}")


def _evidence(scene: Scene, number: str, file: Path) -> bool:
    """Return whether the evidence was written; it is then whole."""
    done = _run(
        scene, "export_evidence", "--notification", number, "--output", str(file)
    )
    if done.returncode == REFUSED:  # not sealed yet, or archived
        return False
    if done.returncode:
        raise AssertionError(f"export_evidence: {done.returncode} {done.stderr}")
    with zipfile.ZipFile(file) as bundle:
        contents = {Path(name).name: bundle.read(name) for name in bundle.namelist()}
    seal = json.loads(contents["seal.json"])
    if sha256(contents["record.jsonl"]).hexdigest() != seal["digest"]:
        raise AssertionError(f"{file.name} is not what was sealed.")
    return True
