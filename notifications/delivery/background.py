"""Background tasks of the worker, such as sealing and the sync, each in its own thread.

An error does not end the thread: it is logged and counted, and the task runs again after
a pause.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from django.db import InterfaceError, InternalError, OperationalError, connection

from notifications import logs
from notifications.delivery.threads import SEALING, Deaths, WorkerThread
from notifications.models import Worker
from notifications.record import sealing
from notifications.record.chain import SealedByAnother
from notifications.record.trail import Horizon

logger = logging.getLogger(__name__)

SEAL_INTERVAL = 2.0


class StopRequested(Exception):
    """The worker ends; the next worker does the remaining work."""


class BackgroundTask:
    """Calls ``work`` every so many seconds, with a separate database connection.

    Only the oldest of several workers does the work, so that the others need not read.
    When it dies, another one takes over; two workers may overlap for a moment, which
    ``work`` must tolerate.

    ``work`` calls ``pause`` between two pieces of work on the database. ``is_idle``
    returns whether no work is left; the worker calls it in its own thread. ``deaths``
    counts unexpected errors, without losses of the database.
    """

    def __init__(
        self,
        name: str,
        work: Callable[["BackgroundTask"], object],
        *,
        every: float,
        restart_after: float = 5.0,
        pause_seconds: float = 0.005,
        is_idle: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.is_idle = is_idle
        self.worker_id: Callable[[], int] = lambda: 0
        self.deaths = Deaths()  # of the worker, when it is started by one
        self._work = work
        self._every = every
        self._restart_after = restart_after
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._thread: WorkerThread | None = None
        self._checked_at = 0.0  # when the oldest worker was last queried
        self._is_oldest = False

    def start(self, worker_id: Callable[[], int], deaths: Deaths) -> None:
        """``worker_id`` returns the current id of the worker."""
        self.worker_id = worker_id
        self.deaths = deaths
        self._thread = WorkerThread(self.name, self.name, self._run, deaths)
        self._thread.keep_alive()

    def keep_alive(self) -> None:
        """Start the thread again if it has ended."""
        if self._thread is not None:
            self._thread.keep_alive()

    def stop(self) -> None:
        """Wait for the current piece of work, then end the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def pause(self) -> None:
        """Yield the database to sending. Raises ``StopRequested``."""
        if self._stopping.wait(self._pause_seconds):
            raise StopRequested

    def may_go_on(self) -> bool:
        """Return whether this is the oldest worker and no stop was requested."""
        if self._stopping.is_set():
            return False
        if time.monotonic() - self._checked_at >= self._every:
            oldest = Worker.objects.filter(ended_at__isnull=True).order_by("pk").first()
            self._is_oldest = oldest is not None and oldest.pk == self.worker_id()
            self._checked_at = time.monotonic()
        return self._is_oldest

    def run_once(self) -> bool:
        """Work once. Return ``False`` after an unexpected error."""
        try:
            if self.may_go_on():
                self._work(self)
        except StopRequested:
            pass
        except (OperationalError, InternalError, InterfaceError):
            logger.exception(
                'Database error in background task "%s"; retrying.', self.name
            )
            connection.close()
        except BaseException as error:  # noqa: BLE001  SystemExit would end the thread
            self.deaths.record(self.name, error)
            connection.close()
            return False
        return True

    def _run(self) -> None:
        try:
            with logs.log_context(worker=self.worker_id):
                seconds = self._every
                while not self._stopping.wait(seconds):
                    seconds = self._every if self.run_once() else self._restart_after
        finally:
            connection.close()


def sealing_task(*, every: float = SEAL_INTERVAL) -> BackgroundTask:
    """Return the task that seals ended notifications.

    Sealed rows do not change any more, so this task blocks no other code. Its pauses
    between blocks of rows keep the HTTP threads on time for their slots.
    """
    horizon = Horizon()

    def seal(task: BackgroundTask) -> None:
        # A worker that ends seals as well. The next run seals what remains.
        with suppress(SealedByAnother):
            sealing.seal_due(pause=task.pause, horizon=horizon)

    return BackgroundTask(SEALING, seal, every=every)
