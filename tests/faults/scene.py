"""A scene: one database, the sandbox and workers as processes, and their journal.

Built once per fault and used for many runs in a row; each run is one notification, with
a unique text that identifies it in the journal.
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.machine import Machine
from tests.faults.places import MANAGE, Place, environment, free_port
from tests.faults.verdict import Call, Row
from tests.faults.watched import PATIENCE, NeverCame, Process, wait_for

LATENCY_MS, JITTER_MS = 80, 40


@dataclass(frozen=True, slots=True)
class Sent:
    """A notification; the calls ``first`` to ``last`` with its text belong to it.

    A resent notification has the same text, and the later calls belong to it.
    ``groups`` are its audience; by default all groups of the scene.
    """

    notification: int
    content: str
    first: int = 0
    last: int | None = None
    groups: Sequence[str] = ()


class Scene:
    """Use ``start`` and ``stop``; ``is_long`` chooses the long form of a fault."""

    def __init__(
        self,
        place: Place,
        folder: Path,
        *,
        name: str,
        groups: int,
        random_source: random.Random,
        is_long: bool,
        faults: Sequence[str] = (),
        settings: dict[str, str] | None = None,
        library: Path | None = None,
        entry: Sequence[str] = MANAGE,
    ) -> None:
        self.place = place
        self.folder = folder
        self.name = name
        self.random = random_source
        self.is_long = is_long
        self.entry = list(entry)
        # Group n has the fault n of the list, which repeats.
        self.groups = [f"@TGS#{n:04d}" for n in range(groups)]
        self.faults = list(faults) or [""]
        self.state = folder / "state"
        self.state.mkdir(parents=True)
        self.machine = Machine(library, folder, self.state) if library else None
        self.port = free_port()
        self.journal = folder / "journal.jsonl"
        self.workers: list[Process] = []
        self.sents = 0
        self.notes: list[str] = []
        self.calls_by_content: dict[str, list[Call]] = {}
        self.read_up_to = 0
        self.url = ""
        self.patience = PATIENCE + groups / 20
        self._settings = settings or {}
        self._logs = 0

    # --- the parts -----------------------------------------------------------------

    def start(self) -> None:
        self.url = self.place.fresh(self.state)
        self.env = environment(
            STATE_DIR=str(self.state),
            DATABASE_URL=self.url,
            IM_BASE_URL=f"http://127.0.0.1:{self.port}",
            **self._settings,
        )
        if self.machine:
            self.machine.sync()
            self.env |= self.machine.variables
        self.start_sandbox()
        self.start_stagehand()
        self.order("prepare", groups=self.groups)

    def start_sandbox(self) -> None:
        groups = self.folder / "groups.csv"
        lines = [
            f"{group_id},Public,{group_id},{self.faults[n % len(self.faults)]}"
            for n, group_id in enumerate(self.groups)
        ]
        groups.write_text("\n".join(["group_id,type,name,fault", *lines]) + "\n")
        env = {k: v for k, v in self.env.items() if k != "LD_PRELOAD"}
        self.sandbox = Process(
            [*MANAGE, "im_sandbox", "--port", str(self.port), "--groups", str(groups),
             "--journal", str(self.journal), "--latency-ms", str(LATENCY_MS),
             "--jitter-ms", str(JITTER_MS)],
            env,
            self.log_file("sandbox"),
        )  # fmt: skip
        self.sandbox.wait_until_it_says("Sandbox at ")

    def start_stagehand(self) -> None:
        # The user's clock is right even if the worker's clock is wrong.
        env = {k: v for k, v in self.env.items() if k != "MACHINE_CLOCK"}
        self.stagehand = Process(
            [sys.executable, "-m", "tests.faults.stagehand"],
            env,
            self.log_file("stagehand"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start_worker(self, *arguments: str, **settings: str) -> Process:
        """Start a worker without waiting until it works."""
        worker = Process(
            [*self.entry, "send_worker", *arguments],
            self.env | settings,
            self.log_file("worker"),
        )
        self.workers.append(worker)
        return worker

    def have_workers(self, count: int) -> None:
        """Start ``count`` workers and wait until all of them work."""
        self.workers = [worker for worker in self.workers if worker.is_alive]
        for _n in range(count - len(self.workers)):
            self.start_worker()
        for worker in self.workers:
            worker.wait_until_it_says(r"Worker \d+ started")

    def kill(self, worker: Process, *, ends_lease: bool = True) -> None:
        """kill -9. ``ends_lease``: do not wait until the others declare it dead."""
        worker.signal(signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)
        if ends_lease:
            self.order("end_lease", pid=worker.pid)

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()
        for name in ("stagehand", "sandbox"):
            if hasattr(self, name):
                getattr(self, name).stop()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_file(self, name: str) -> Path:
        """Where the next process writes; numbered in the order of their start."""
        self._logs += 1
        return self.folder / f"{self._logs:04d}-{name}.log"

    # --- what is done in it ----------------------------------------------------------

    def order(self, name: str, *, patient: bool = True, **arguments: Any) -> Any:
        """Send an order to the stagehand; ``patient`` retries after database errors."""
        pipes = self.stagehand.popen
        assert pipes.stdin is not None
        assert pipes.stdout is not None
        pipes.stdin.write(
            json.dumps({"do": name, "patient": patient, **arguments}) + "\n"
        )
        pipes.stdin.flush()
        answer = json.loads(pipes.stdout.readline() or '{"error": "it has ended"}')
        if "error" in answer:
            raise NeverCame(f"{name}: {answer['error']}; see {self.stagehand.log}")
        return answer["result"]

    def note(self, text: str) -> None:
        """Add a line to the notes of the scene, which the command prints."""
        self.notes.append(text)

    def new_content(self) -> str:
        self.sents += 1
        return f"{self.name} {self.sents}"

    def send(self) -> Sent:
        """A notification to all groups, accepted for sending."""
        content = self.new_content()
        return Sent(self.order("send", content=content, patient=False), content)

    def somewhere(self) -> int:
        """A random number of calls, within a send."""
        return self.random.randrange(0, int(len(self.groups) * 0.9))

    def wait_calls(self, sent: Sent, count: int) -> None:
        """Until the endpoint has received ``count`` calls; and a little, at random."""
        wait_for(
            lambda: len(self.calls(sent)) >= count,
            f"{count} calls for “{sent.content}”",
            self.patience,
        )
        time.sleep(self.random.uniform(0, 0.05))

    def wait_end(self, *sents: Sent, seconds: float = 0) -> None:
        """Wait until no row is open; resume notifications that the engine paused.

        Returns after a timeout as well: the verdict counts the stuck rows.
        """
        deadline = time.monotonic() + (seconds or self.patience)
        ids = [sent.notification for sent in sents]
        while time.monotonic() < deadline:
            state = self.order("state", notifications=ids)
            if not state["open"] and not state["unended"]:
                return
            for paused in state["paused"]:
                self.order("resume", notification=paused)
            time.sleep(0.1)

    # --- the truth ---------------------------------------------------------------------

    def calls(self, sent: Sent) -> list[Call]:
        """What the endpoint received for one send."""
        if self.journal.exists():
            with self.journal.open("rb") as file:
                file.seek(self.read_up_to)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # half written
                    self.read_up_to += len(line)
                    entry = json.loads(line)
                    self.calls_by_content.setdefault(entry["content"], []).append(
                        _call(entry)
                    )
        return self.calls_by_content.get(sent.content, [])[sent.first : sent.last]

    def rows(self, sent: Sent) -> list[Row]:
        return [
            Row(**row) for row in self.order("rows", notification=sent.notification)
        ]

    def sqlite_path(self) -> Path:
        return self.state / "notifier.sqlite3"


def _call(entry: dict[str, Any]) -> Call:
    """A line of the journal: a notice, a message, a recall or a correction."""
    if "done" in entry:
        code = entry["error_code"] or entry["ret_code"]
        code = entry["error_code"] if code is None else code
        return Call(entry["group_id"], code, entry["done"])
    return Call(
        entry["group_id"],
        entry["error_code"],
        entry.get("msg_seq") is not None,
        entry.get("random", 0),
    )
