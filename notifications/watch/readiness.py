"""Whether this process can serve pages, and what is missing.

The pages stay when no worker is there: they are what people see it on, and what they
can pause and stop with. So ``worker`` is told, but takes no page away.
"""

import logging
import time
from collections.abc import Callable, Mapping

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from notifications.delivery.durability import durability_problem
from notifications.delivery.presence import worker_is_there
from notifications.record import guards

from .machine import enough_disk

logger = logging.getLogger(__name__)

WORKER = "worker"
# Several probes may ask each second; what they hear may be so many seconds old.
KEPT_FOR = 5.0
NO_DATABASE = (DatabaseError, InterfaceError, ImproperlyConfigured)


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def migrations_applied() -> bool:
    """Those that this version knows; a database that is ahead is none of its business."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


Check = Callable[[], bool]
ALWAYS: Mapping[str, Check] = {"database": database_answers, "disk": enough_disk}
# Not tried where the database does not answer: each would wait for it.
OF_THE_DATABASE: Mapping[str, Check] = {
    "migrations": migrations_applied,
    "guards": lambda: not guards.missing(),
    "durability": lambda: not durability_problem(),
    WORKER: worker_is_there,
}


class Readiness:
    """The checks by name, asked anew when the last answers are 5 s old.

    One for each process. Two threads may ask at the same time: that does no harm.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked_at = float("-inf")
        self._found: dict[str, bool] = {}

    def checks(self) -> dict[str, bool]:
        now = self._clock()
        if now - self._asked_at >= KEPT_FOR:
            self._found = checks()
            self._asked_at = now
        return self._found


def checks() -> dict[str, bool]:
    """Each check by name. One that cannot be made is not passed; the log tells why."""
    found = {name: _passes(name, check) for name, check in ALWAYS.items()}
    if not found["database"]:
        return found | dict.fromkeys(OF_THE_DATABASE, False)
    return found | {
        name: _passes(name, check) for name, check in OF_THE_DATABASE.items()
    }


def is_ready(found: Mapping[str, bool]) -> bool:
    return all(passed for name, passed in found.items() if name != WORKER)


def _passes(name: str, check: Check) -> bool:
    try:
        return check()
    except (*NO_DATABASE, OSError) as error:
        logger.warning("The check “%s” cannot be made: %s", name, error)
        return False
