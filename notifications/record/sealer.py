"""Sealing beside the sending: in a thread with a database connection of its own.

The rows that are sealed do not change any more, so nothing waits for the sealer, and a
pause between its pages leaves the sender threads their slots. Of several workers the
oldest seals, so that none reads in vain.
"""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from notifications import logs
from notifications.models import Worker
from notifications.record import sealing

logger = logging.getLogger(__name__)


EVERY = 2.0

# Between two blocks of rows, so that calls start in time.
PAUSE = 0.005


class _StopRequested(Exception):
    """The worker ends: what is half read is sealed by the next one."""


class Sealer:
    """``start`` it, and ``stop`` it before the worker ends.

    ``worker_id`` gives the present number of the worker.
    """

    def __init__(self, worker_id: Callable[[], int]) -> None:
        self._worker_id = worker_id
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns within moments; a seal is written whole or not at all."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with logs.about(worker=self._worker_id):
                while not self._stopping.wait(EVERY):
                    self._seal()
        finally:
            connection.close()

    def _seal(self) -> None:
        try:
            oldest = Worker.objects.filter(ended_at__isnull=True).order_by("pk").first()
            if oldest is not None and oldest.pk == self._worker_id():
                seal_all(pause=self._pause)
        except sealing.SealedByAnother:
            pass  # a worker that ends seals the rest, too; we look again
        except _StopRequested:
            pass
        except (DatabaseError, InterfaceError):
            logger.exception("Nothing could be sealed; it is tried again.")
            connection.close()

    def _pause(self) -> None:
        if self._stopping.wait(PAUSE):
            raise _StopRequested


def seal_all(*, pause: sealing.Pause = lambda: None) -> None:
    """Seal what has ended and the days that are over. Raises ``SealedByAnother``."""
    sealing.seal_ended(pause=pause)
    sealing.seal_actions(timezone.now())


def seal_the_rest() -> None:
    """As above, until nothing is left, whoever seals beside us."""
    while True:
        try:
            seal_all()
        except sealing.SealedByAnother:
            continue
        return
