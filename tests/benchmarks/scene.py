"""A scene of the fault suite with a fast endpoint without a rate limit."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.environment import ROOT
from tests.faults.places import Place
from tests.faults.scene import Scene, Sent
from tests.faults.watched import Process

PACE = 190.0  # calls per second of the engine, below the limit of 200


@dataclass(frozen=True, slots=True)
class Cost:
    """The resources that a process used from its start to its end."""

    cpu_seconds: float
    memory_mb: float


class BenchmarkScene(Scene):
    """``with BenchmarkScene(place, groups=3000, latency=(80, 40)) as scene: …``"""

    def __init__(
        self,
        place: Place,
        *,
        groups: int,
        latency: tuple[int, int] = (0, 0),
        listed: int | None = None,
        limit: int | None = None,
        **settings: str,
    ) -> None:
        """``groups`` in the database, ``listed`` at Tencent; equal by default."""
        super().__init__(
            place,
            Path(tempfile.mkdtemp(prefix="notifier-benchmark-")),
            name="benchmark",
            groups=groups,
            random_source=random.Random(),
            is_long=True,
            settings=settings,
        )
        self.latency = latency
        self.listed = groups if listed is None else listed
        self.limit = limit

    def start_sandbox(self) -> None:
        self.sandbox = Process(
            [sys.executable, "-m", "tests.benchmarks.endpoint", str(self.listed),
             *map(str, self.latency), *([str(self.limit)] if self.limit else [])],
            self.env,
            self.log_file("endpoint"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.env["IM_BASE_URL"] = self._answer()

    def received(self) -> list[tuple[float, float]]:
        """Unix and monotonic seconds of each call since the last request of this."""
        return [tuple(entry) for entry in self._ask("")]

    def asked(self, command: str) -> list[tuple[float, int | None]]:
        """Monotonic seconds and code of each reading call."""
        return [tuple(entry) for entry in self._ask(command)]

    def _ask(self, line: str) -> list[list[float]]:
        pipes = self.sandbox.popen
        pipes.stdin.write(line + "\n")
        pipes.stdin.flush()
        return json.loads(self._answer())

    def _answer(self) -> str:
        line = self.sandbox.popen.stdout.readline()
        if not line:
            raise RuntimeError(f"The endpoint has ended; see {self.sandbox.log}")
        return line.strip()

    def check_all_accepted(self, sent: Sent) -> None:
        """Raise ``RuntimeError`` unless every group of the scene received the notice."""
        by_status = Counter(row.status for row in self.rows(sent))
        if by_status != {"accepted": len(self.groups)}:
            raise RuntimeError(f"“{sent.content}” ended with {dict(by_status)}.")

    def drain(self, worker: Process) -> float:
        """Seconds from SIGTERM to its exit, which must be clean."""
        began = time.perf_counter()
        worker.signal(signal.SIGTERM)
        if worker.wait():
            raise RuntimeError(f"A worker failed; see {worker.log}")
        return time.perf_counter() - began

    def bare(self, calls: int, threads: int, *pace: float) -> tuple[float, float]:
        """Calls per second and CPU seconds per 1000 calls of bare ``requests``."""
        done = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.benchmarks.bare", self.env["IM_BASE_URL"],
             *map(str, (calls, threads, *pace))],
            cwd=ROOT, env=self.env, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.received()
        rate, cpu = done.stdout.split()
        return float(rate), float(cpu)

    def cost_of(self, worker: Process) -> Cost:
        """Wait until it ends."""
        _pid, status, used = os.wait4(worker.pid, 0)
        worker.popen.returncode = os.waitstatus_to_exitcode(status)
        if worker.popen.returncode:
            raise RuntimeError(f"A worker failed; see {worker.log}")
        return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def __enter__(self) -> "BenchmarkScene":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self.stop()
        if kind is None:
            self.remove()
