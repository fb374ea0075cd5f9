"""The processes of a scene, and waiting for their actions and output."""

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.environment import ROOT

PATIENCE = 60.0  # seconds in which a process must end, and every row of a small send


class NeverCame(Exception):
    """The expected event did not happen in time."""


class Process:
    """A process with its output in a file; always ended by ``stop``."""

    def __init__(
        self, command: Sequence[str], env: dict[str, str], log: Path, **more: Any
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(  # noqa: S603  our own commands
                command,
                env=env,
                stderr=output,
                **({"cwd": ROOT, "stdout": output} | more),
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def is_alive(self) -> bool:
        return self.popen.poll() is None

    def wait_until_it_says(self, pattern: str) -> str:
        """The first match of ``pattern`` in its output."""
        found: list[str] = []

        def look() -> bool:
            if match := re.search(pattern, self.log.read_text(errors="replace")):
                found.append(match[0])
            elif not self.is_alive:
                raise NeverCame(f"“{pattern}”: the process has ended; see {self.log}")
            return bool(found)

        wait_for(look, f"“{pattern}” in {self.log}")
        return found[0]

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def wait(self) -> int:
        return self.popen.wait(timeout=PATIENCE)

    def stop(self) -> None:
        if self.is_alive:
            self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                pipe.close()


def wait_for(
    condition: Callable[[], bool], what: str, seconds: float = PATIENCE
) -> None:
    """Wait until ``condition`` holds. Raises ``NeverCame``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NeverCame(what)
        time.sleep(0.01)
