"""A pool of HTTP threads, which only make calls.

A thread takes a request, opens its connection in advance, waits for the slot, makes the
call, and puts the result into a queue. No thread uses the database.
"""

import queue
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from notifications.conf import Connection
from notifications.delivery.threads import Deaths, ThreadEnded, WorkerThread
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.slots import wait_for_slot
from notifications.tencent.calls.base import Call
from notifications.tencent.client import ImClient
from notifications.tencent.outcomes import Outcome, defect_outcome


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
    program or a machine without memory can raise; the outcome says whether a byte was
    sent. ``called_at`` is machine time, or 0 when no call was made; ``answered_at`` is
    the service's own time of the answer in Unix seconds.
    """

    request: R
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None = None
    data: object = None
    defect: BaseException | None = None
    called_at: float = 0.0
    answered_at: float | None = None


class HttpWorkers(Generic[R]):
    """``size`` threads, each with a separate client and connection.

    ``free`` is the number of threads without a request; the caller submits no more.
    ``keep_alive`` starts the threads; the caller repeats it about once a second. Every
    submitted request has a result, also when its thread dies.
    """

    def __init__(
        self,
        connection: Connection,
        clock: EngineClock,
        size: int,
        deaths: Deaths,
        task: str,
    ) -> None:
        self.connection = connection
        self.clock = clock
        self._requests: queue.SimpleQueue[tuple[R, float] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result[R]] = queue.SimpleQueue()
        self._running: dict[int, R] = {}  # number of a thread → its request
        self._alive = 0
        self._without_result = 0
        self._threads = [
            WorkerThread(f"http-{n}", task, partial(self._run, n), deaths)
            for n in range(size)
        ]

    @property
    def free(self) -> int:
        return max(0, self._alive - self._without_result)

    def keep_alive(self) -> None:
        """Start threads that have not started yet, or have ended."""
        for number, thread in enumerate(self._threads):
            if not thread.is_alive and number in self._running:
                self._give_up(self._running.pop(number))
            if not thread.keep_alive():
                break  # the system has no more threads; try again a second later
        self._alive = sum(thread.is_alive for thread in self._threads)
        while not self._alive and not self._requests.empty():
            if item := self._requests.get():
                now = datetime.now(UTC)
                self._results.put(Result(item[0], now, now))

    def submit(self, request: R, slot: float) -> None:
        """Make the call at ``slot``, as machine time."""
        self._without_result += 1
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
        self._without_result -= len(results)
        return results

    def stop(self) -> None:
        """End all threads; wait for calls in progress."""
        for _thread in self._threads:
            self._requests.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        client: ImClient | None = None
        while (item := self._requests.get()) is not None:
            self._running[number] = item[0]
            result, client = self._perform(client, *item)
            self._results.put(result)
            del self._running[number]
        if client is not None:
            client.close()

    def _give_up(self, request: R) -> None:
        """Put a result for the request of a thread that has ended during its call."""
        now = datetime.now(UTC)
        error = ThreadEnded()
        outcome = defect_outcome(error, sent=True)
        self._results.put(Result(request, now, now, outcome, defect=error))

    def _perform(
        self, client: ImClient | None, request: R, slot: float
    ) -> tuple[Result[R], ImClient | None]:
        """Make one call. Return the result, and the client for the next call."""
        started_at = datetime.now(UTC)
        called_at, data, defect, answered_at = 0.0, None, None, None
        try:
            if client is None:
                client = self.connection.client()
            outcome = client.connect()
            if outcome is None:
                in_time = wait_for_slot(slot, self.clock)
                started_at = datetime.now(UTC)
                if in_time or request.may_start_late:
                    called_at = self.clock.machine()
                    response = client.call(request.call)
                    outcome, data = response.outcome, response.data
                    answered_at = client.answered_at
        except BaseException as error:  # noqa: BLE001  the caller gets it in its thread
            sent = called_at > 0 and client is not None and client.has_sent
            outcome = defect_outcome(error, sent=sent)
            client, defect = None, error
        # The wall clock may be set back during a call; keep the end after the start.
        finished_at = max(started_at, datetime.now(UTC))
        return Result(
            request,
            started_at,
            finished_at,
            outcome,
            data,
            defect,
            called_at,
            answered_at,
        ), client
