"""Background tasks of the worker: sealing and the sync, each in a thread of its own.

No error ends such a thread: it is logged and counted, and the task is started again
after a pause.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from django.db import InterfaceError, InternalError, OperationalError, connection

from notifications import logs
from notifications.models import Worker
from notifications.record import sealing

logger = logging.getLogger(__name__)

SEAL_EVERY = 2.0


class StopRequested(Exception):
    """The worker ends: what is left is done by the next one."""


class BackgroundTask:
    """Calls ``work`` every so many seconds, with a database connection of its own.

    Of several workers the oldest does the work, so that no other reads in vain. When it
    dies another one goes on; that two overlap for a moment must do no harm.

    ``work`` calls ``pause`` between two pieces of work on the database. ``is_idle``
    returns whether nothing is left to do; the worker calls it in its own thread.
    ``deaths`` are the moments of the latest unexpected errors. A lost database is not
    one of them.
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
        self.deaths: deque[datetime] = deque(maxlen=100)
        self._work = work
        self._every = every
        self._restart_after = restart_after
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._asked_at = 0.0  # when the database was asked who is the oldest
        self._is_oldest = False

    def start(self, worker_id: Callable[[], int]) -> None:
        """``worker_id`` gives the present number of the worker."""
        self.worker_id = worker_id
        self._thread.start()

    def stop(self) -> None:
        """Returns when the piece of work under way is done."""
        self._stopping.set()
        self._thread.join()

    def pause(self) -> None:
        """Leave the database to the sending. Raises ``StopRequested``."""
        if self._stopping.wait(self._pause_seconds):
            raise StopRequested

    def may_go_on(self) -> bool:
        """Whether this is still the oldest worker, and no stop was requested."""
        if self._stopping.is_set():
            return False
        if time.monotonic() - self._asked_at >= self._every:
            oldest = Worker.objects.filter(ended_at__isnull=True).order_by("pk").first()
            self._is_oldest = oldest is not None and oldest.pk == self.worker_id()
            self._asked_at = time.monotonic()
        return self._is_oldest

    def run_once(self) -> bool:
        """Work once; false after an unexpected error."""
        try:
            if self.may_go_on():
                self._work(self)
        except StopRequested:
            pass
        except (OperationalError, InternalError, InterfaceError):
            logger.exception(
                "The database did not answer the %s as expected; it goes on by itself.",
                self.name,
            )
            connection.close()
        except Exception:
            self.deaths.append(datetime.now(UTC))
            logger.exception(
                "The %s failed by a mistake in it; it is started again.", self.name
            )
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


def sealing_task(*, every: float = SEAL_EVERY) -> BackgroundTask:
    """Seals what has ended.

    The rows that are sealed do not change any more, so nothing waits for this task, and
    a pause between blocks of rows leaves the HTTP threads their slots.
    """
    return BackgroundTask("sealing", _seal, every=every)


def _seal(task: BackgroundTask) -> None:
    # Another worker that ends seals the rest, too: what is left is found next time.
    with suppress(sealing.SealedByAnother):
        sealing.seal_due(pause=task.pause)
