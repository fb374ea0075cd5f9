"""A pool of HTTP threads: they make calls and do nothing else.

A thread takes a request, opens its connection ahead of time, waits for the slot and
makes the call. The result goes back through a queue. No thread touches the database.
"""

import queue
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from notifications.conf import Connection
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.slots import wait_for_slot
from notifications.tencent.calls.base import Call
from notifications.tencent.client import ImClient
from notifications.tencent.outcomes import Outcome


class Request(Protocol):
    """One call to make, with all that it needs: a thread reads no rows.

    ``may_start_late``: the call is made even when its slot was missed.
    """

    may_start_late: ClassVar[bool]

    @property
    def call(self) -> Call[Any]:
        """Made by an HTTP thread, when the slot has come."""
        ...


R = TypeVar("R", bound=Request)


@dataclass(frozen=True, slots=True)
class Result(Generic[R]):
    """The result of a request.

    ``outcome`` is ``None`` when the slot was missed: no call was made. ``data`` is what
    an accepted call returned. ``defect`` is an exception that only a mistake in this
    program can raise. ``called_at`` is of the machine's clock; 0: no call was made.
    """

    request: R
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None = None
    data: object = None
    defect: Exception | None = None
    called_at: float = 0.0


class HttpWorkers(Generic[R]):
    """``size`` threads, each with a client and a connection of its own.

    ``free`` is the number of threads without a request; the caller submits no more.
    """

    def __init__(self, connection: Connection, clock: EngineClock, size: int) -> None:
        self.connection = connection
        self.clock = clock
        self.free = size
        self._requests: queue.SimpleQueue[tuple[R, float] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result[R]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"http-{n}", daemon=True)
            for n in range(size)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def submit(self, request: R, slot: float) -> None:
        """Make the call at ``slot`` of the machine's clock."""
        self.free -= 1
        self._requests.put((request, slot))

    def results(self, seconds: float = 0.0) -> list[Result[R]]:
        """All results since the last call; waits up to ``seconds`` for the first."""
        results = []
        try:
            results.append(self._results.get(timeout=seconds))
            while True:
                results.append(self._results.get_nowait())
        except queue.Empty:
            pass
        self.free += len(results)
        return results

    def stop(self) -> None:
        """End all threads; calls under way are finished first."""
        for _thread in self._threads:
            self._requests.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        client = self.connection.client()
        try:
            while (order := self._requests.get()) is not None:
                self._results.put(self._perform(client, *order))
        finally:
            client.close()

    def _perform(self, client: ImClient, request: R, slot: float) -> Result[R]:
        started = datetime.now(UTC)
        called_at, data = 0.0, None
        try:
            outcome = client.connect()
            if outcome is None:
                is_in_time = wait_for_slot(slot, self.clock)
                started = datetime.now(UTC)
                if is_in_time or request.may_start_late:
                    called_at = self.clock.machine()
                    answer = client.call(request.call)
                    outcome, data = answer.outcome, answer.data
        except Exception as error:  # noqa: BLE001  its caller raises it in its own thread
            return Result(request, started, datetime.now(UTC), defect=error)
        # The wall clock may be set back during a call; a row ends after its start.
        finished = max(started, datetime.now(UTC))
        return Result(request, started, finished, outcome, data, called_at=called_at)
