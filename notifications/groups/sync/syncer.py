"""Syncing beside the sending: in a thread with a database connection of its own.

Of several workers the oldest syncs. When it dies another one goes on; that two overlap
for a moment does no harm.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError, connection

from notifications import conf, logs
from notifications.groups.sync import finish as sync_finish
from notifications.groups.sync import services as sync_services
from notifications.groups.sync.run import Run
from notifications.models import GroupSync, Worker
from notifications.rate_limit.clock import engine_clock

logger = logging.getLogger(__name__)


EVERY = 1.0

# Between two pieces of work on the database, so that notices go out in time.
PAUSE = 0.005

# What the run is failed with when this program made a mistake.
DEFECT = "defect"


class _StopRequested(Exception):
    """The worker ends: the next one goes on."""


class Syncer:
    """For ``SendWorker(beside=[…])``."""

    def __init__(
        self,
        im: conf.Connection,
        *,
        every: float = EVERY,
        make_run: Callable[..., Run] = Run,
    ) -> None:
        self._im = im
        self._every = every
        self._make_run = make_run
        self._worker_id: Callable[[], int] = lambda: 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="syncer", daemon=True)
        self._looked_at = 0.0  # when it was last certain that the work is ours
        self._is_ours = False

    def start(self, worker_id: Callable[[], int]) -> None:
        """``worker_id`` gives the present number of the worker."""
        self._worker_id = worker_id
        self._thread.start()

    def stop(self) -> None:
        """Returns when the calls under way are answered."""
        self._stopping.set()
        self._thread.join()

    def is_idle(self) -> bool:
        """Whether nothing is asked for; asked in the worker's own thread."""
        return not GroupSync.objects.open().exists()

    def _run(self) -> None:
        try:
            with logs.about(worker=self._worker_id):
                while not self._stopping.wait(self._every):
                    self._look()
        finally:
            connection.close()

    def _look(self) -> None:
        try:
            if not self._may_go_on():
                return
            sync_services.ask_if_due(datetime.now(UTC))
            sync = GroupSync.objects.open().first()
            if sync is not None:
                self._sync(sync)
                sync_finish.tidy(self._pause)
        except (_StopRequested, sync_finish.RunEnded):
            pass
        except (DatabaseError, InterfaceError):
            logger.exception("The sync of the groups stopped; it goes on by itself.")
            connection.close()

    def _sync(self, sync: GroupSync) -> None:
        actor = f"worker {self._worker_id()}"
        run = self._make_run(
            sync,
            self._im,
            engine_clock(),
            actor=actor,
            may_go_on=self._may_go_on,
            pause=self._pause,
        )
        try:
            run.go()
        except (_StopRequested, DatabaseError, InterfaceError):
            raise
        except Exception:
            # Tried again it would fail again: the run ends, and the log tells why.
            logger.exception("The sync of the groups failed by a mistake in it.")
            sync_finish.finish(
                sync.pk,
                GroupSync.Status.FAILED,
                actor,
                datetime.now(UTC),
                reason=DEFECT,
            )

    def _may_go_on(self) -> bool:
        """Whether we are still the oldest worker; the database is asked once a second."""
        if self._stopping.is_set():
            return False
        if time.monotonic() - self._looked_at >= self._every:
            oldest = Worker.objects.filter(ended_at__isnull=True).order_by("pk").first()
            self._is_ours = oldest is not None and oldest.pk == self._worker_id()
            self._looked_at = time.monotonic()
        return self._is_ours

    def _pause(self) -> None:
        if self._stopping.wait(PAUSE):
            raise _StopRequested
