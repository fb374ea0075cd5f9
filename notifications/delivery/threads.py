"""The threads of a worker: none of them ends without notice.

A thread that dies of an unexpected error is counted and started again. Too many deaths
of one task end the worker, so that the service manager starts a new process.
"""

import logging
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F

from notifications.models import TaskDeaths

logger = logging.getLogger(__name__)

# The tasks: the database thread, the HTTP threads that send, and background tasks.
SENDING = "sending"
CALLS = "calls"
SEALING = "sealing"
SYNC = "sync"
REQUESTS = "requests"
RECONCILING = "reconciling"
PREPARATIONS = "preparations"

# This many deaths of one task within so many seconds end the worker.
MAX_DEATHS = 5
WINDOW = 600.0


class ThreadEnded(Exception):
    """A thread has ended without being stopped; standard error has the traceback."""


class TooManyDeaths(Exception):
    """The worker ends, because a task dies again and again."""

    def __init__(self, task: str) -> None:
        super().__init__(
            f'The worker ends, because its task "{task}" died of unexpected errors. The '
            "log has them."
        )


class Deaths:
    """Counts deaths by task. Any thread records them; the database thread writes them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._lock = threading.Lock()
        self._times: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=MAX_DEATHS)
        )
        self._written: Counter[str] = Counter()
        self._last: dict[str, tuple[datetime, str]] = {}

    def record(
        self, task: str, error: BaseException, log_fields: dict[str, int] | None = None
    ) -> None:
        """Count a death of ``task`` and log its error."""
        with self._lock:
            self.counts[task] += 1
            self._times[task].append(self._clock())
            self._last[task] = (datetime.now(UTC), type(error).__name__)
        logger.error(
            'Unexpected error in the task "%s" of the worker.',
            task,
            exc_info=error,
            extra=log_fields,
        )

    def too_many(self) -> str:
        """Return the name of a task with too many deaths, or an empty string."""
        earliest = self._clock() - WINDOW
        with self._lock:
            for task, times in self._times.items():
                if len(times) == MAX_DEATHS and times[0] >= earliest:
                    return task
        return ""

    def write(self) -> None:
        """Add the deaths since the last call to the database, for the pages."""
        with self._lock:
            counts, last = self.counts.copy(), self._last.copy()
        for task, count in (counts - self._written).items():
            died_at, error = last[task]
            with transaction.atomic():
                TaskDeaths.objects.get_or_create(
                    task=task, defaults={"last_at": died_at}
                )
                TaskDeaths.objects.filter(task=task).update(
                    count=F("count") + count, last_at=died_at, last_error=error
                )
            self._written[task] = counts[task]


class WorkerThread:
    """A thread of ``task``. ``keep_alive`` starts it, and again after it has ended."""

    def __init__(
        self, name: str, task: str, run: Callable[[], None], deaths: Deaths
    ) -> None:
        self.name = name
        self.task = task
        self.deaths = deaths
        self._run = run
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def keep_alive(self) -> bool:
        """Start the thread unless it runs. Return whether it runs now."""
        if self.is_alive:
            return True
        if self._thread is not None:
            self._thread = None
            self.deaths.record(self.task, ThreadEnded(self.name))
        thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        try:
            thread.start()
        except Exception as error:  # noqa: BLE001  the system refuses more threads
            self.deaths.record(self.task, error)
            return False
        self._thread = thread
        return True

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()
