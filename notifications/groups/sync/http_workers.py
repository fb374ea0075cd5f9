"""Threads that make the reading calls: HTTP and nothing else.

Like the sender threads of the engine: a call waits for its moment, and what came of it
goes back. No thread touches the database.
"""

import queue
import threading
from dataclasses import dataclass

from notifications.conf import Connection
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.slots import wait_for_slot
from notifications.tencent.client import ImClient
from notifications.tencent.outcomes import Outcome
from notifications.tencent.responses import GroupInfo, GroupPage


@dataclass(slots=True)
class Asked:
    """Something to ask for until it is answered.

    ``due`` is a moment of the machine's clock; ``failures`` are the tries before.
    """

    due: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class Listing(Asked):
    """A page of the list; ``group_type=""`` for all types."""

    step: int = 0
    group_type: str = ""
    next: int = 0
    limit: int = 10_000


@dataclass(slots=True)
class Batch(Asked):
    """The details of some groups."""

    group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """``outcome`` is ``None`` when the moment was missed: no call was made.

    ``called_at`` is of the machine's clock.
    """

    asked: Listing | Batch
    outcome: Outcome | None = None
    data: GroupPage | tuple[GroupInfo, ...] | None = None
    defect: Exception | None = None
    called_at: float = 0.0


class Callers:
    """``size`` threads, each with a client and a connection of its own."""

    def __init__(self, connection: Connection, clock: EngineClock, size: int) -> None:
        self.connection = connection
        self.clock = clock
        self.free = size
        self._inbox: queue.SimpleQueue[tuple[Listing | Batch, float] | None] = (
            queue.SimpleQueue()
        )
        self._outbox: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"caller-{n}", daemon=True)
            for n in range(size)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def submit(self, asked: Listing | Batch, moment: float) -> None:
        """Make the call at ``moment`` of the machine's clock."""
        self.free -= 1
        self._inbox.put((asked, moment))

    def results(self, seconds: float) -> list[Result]:
        """All that came in; waits up to ``seconds`` for the first."""
        found = []
        try:
            found.append(self._outbox.get(timeout=seconds))
            while True:
                found.append(self._outbox.get_nowait())
        except queue.Empty:
            pass
        self.free += len(found)
        return found

    def stop(self) -> None:
        """End all threads; calls under way are finished first."""
        for _thread in self._threads:
            self._inbox.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        client = self.connection.client()
        try:
            while (order := self._inbox.get()) is not None:
                self._outbox.put(self._carry_out(client, *order))
        finally:
            client.close()

    def _carry_out(
        self, client: ImClient, asked: Listing | Batch, moment: float
    ) -> Result:
        try:
            outcome = client.connect()
            if outcome is not None:
                return Result(asked, outcome)
            is_in_time = wait_for_slot(moment, self.clock)
            called_at = self.clock.machine()
            if isinstance(asked, Listing):
                # Late is better than another second: there is but one at a time, and
                # the next one keeps away from it.
                page = client.get_appid_group_list(
                    asked.group_type, asked.next, asked.limit
                )
                return Result(asked, page.outcome, page.data, called_at=called_at)
            if not is_in_time:
                return Result(asked)
            infos = client.get_group_info(asked.group_ids)
            return Result(asked, infos.outcome, infos.data)
        except Exception as error:  # noqa: BLE001  the run raises it in its own thread
            return Result(asked, defect=error)
