"""A pool of HTTP threads, which only make calls.

A thread takes a request, opens its connection in advance, waits for the slot, makes the
call, and puts the result into a queue. No thread uses the database.
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
    """One call to make, with all the data it needs: threads read no rows.

    ``may_start_late``: make the call even when its slot was missed.
    """

    may_start_late: ClassVar[bool]

    @property
    def call(self) -> Call[Any]:
        """The call, which an HTTP thread makes at the slot."""
        ...


R = TypeVar("R", bound=Request)


@dataclass(frozen=True, slots=True)
class Result(Generic[R]):
    """The result of a request.

    ``outcome`` is ``None`` when the slot was missed and no call was made. ``data`` is the
    return value of an accepted call. ``defect`` is an exception that only a bug in this
    program can raise. ``called_at`` is machine time, or 0 when no call was made.
    """

    request: R
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None = None
    data: object = None
    defect: Exception | None = None
    called_at: float = 0.0


class HttpWorkers(Generic[R]):
    """``size`` threads, each with a separate client and connection.

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
        """Make the call at ``slot``, as machine time."""
        self.free -= 1
        self._requests.put((request, slot))

    def results(self, seconds: float = 0.0) -> list[Result[R]]:
        """Return all new results; wait up to ``seconds`` for the first one."""
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
        """End all threads; wait for calls in progress."""
        for _thread in self._threads:
            self._requests.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        client = self.connection.client()
        try:
            while (item := self._requests.get()) is not None:
                self._results.put(self._perform(client, *item))
        finally:
            client.close()

    def _perform(self, client: ImClient, request: R, slot: float) -> Result[R]:
        started_at = datetime.now(UTC)
        called_at, data = 0.0, None
        try:
            outcome = client.connect()
            if outcome is None:
                in_time = wait_for_slot(slot, self.clock)
                started_at = datetime.now(UTC)
                if in_time or request.may_start_late:
                    called_at = self.clock.machine()
                    response = client.call(request.call)
                    outcome, data = response.outcome, response.data
        except Exception as error:  # noqa: BLE001  the caller raises it in its thread
            return Result(request, started_at, datetime.now(UTC), defect=error)
        # The wall clock may be set back during a call; keep the end after the start.
        finished_at = max(started_at, datetime.now(UTC))
        return Result(
            request, started_at, finished_at, outcome, data, called_at=called_at
        )
