"""Health and readiness: cheap queries about sending, record and syncs.

Shared by the System page and the metrics. Nothing here reads the history: all of it lies
in small indexes.

The pages stay when no worker is there: they are what people see it on, and what they
can pause and stop with. So ``worker`` is told, but takes no page away.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min

from notifications.db.durability import durability_problem
from notifications.delivery.heartbeat import has_live_worker
from notifications.models import Attempt, Delivery, GroupSync, Notification
from notifications.record.guards import install as guards_install
from notifications.system.machine import enough_disk

MINUTE = timedelta(minutes=1)

N = Notification.Status

D = Delivery.Status


@dataclass(frozen=True, slots=True)
class Queue:
    """``waiting`` counts deliveries by the status of their notification: scheduled,
    sending, paused. ``oldest_due``: since when the first of those of a notification
    that is being sent could be called; ``None`` where none is due."""

    waiting: Mapping[str, int]
    in_flight: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """``live``: notifications without a seal; ``ended``: how many of them have ended;
    ``since``: when the first of those ended."""

    live: Collection[int]
    ended: int
    since: datetime | None


def queue(now: datetime) -> Queue:
    """Two queries."""
    waiting = {status.value: 0 for status in sorted(Notification.OPEN)}
    oldest = None
    rows = Delivery.objects.filter(
        status=D.QUEUED, notification__status__in=Notification.OPEN
    )
    for status, count, first in (
        rows.order_by()
        .values_list("notification__status")
        .annotate(Count("pk"), Min("not_before"))
    ):
        waiting[status] = count
        if status == N.SENDING and first <= now:
            oldest = first
    in_flight = Delivery.objects.filter(status=D.SENDING).count()
    return Queue(waiting, in_flight, oldest)


def paused() -> dict[str, int]:
    """How many notifications are paused for each reason, zeros included."""
    rows = Notification.objects.filter(status=N.PAUSED).order_by()
    counts = rows.values_list("paused_reason").annotate(Count("pk"))
    return dict.fromkeys(Notification.PauseReason.values, 0) | dict(counts)


def calls_in_last_minute(now: datetime) -> int:
    """Calls that left this machine, in the 60 s before ``now``."""
    not_calls = [Attempt.Outcome.NOT_SENT, Attempt.Outcome.WORKER_LOST]
    made = Attempt.objects.filter(started_at__gt=now - MINUTE)
    return made.exclude(outcome__in=not_calls).count()


def unsealed() -> Unsealed:
    """What was sent and has no seal."""
    rows = Notification.objects.sent().filter(seal__isnull=True).order_by()
    found = list(rows.values_list("pk", "finished_at"))
    ended = [at for _pk, at in found if at is not None]
    return Unsealed([pk for pk, _at in found], len(ended), min(ended, default=None))


@dataclass(frozen=True, slots=True)
class Syncs:
    """The newest run of all, and when the last one that was finished ended."""

    latest: GroupSync | None
    completed_at: datetime | None


def syncs() -> Syncs:
    """Two queries; at most some twenty rows are kept."""
    runs = GroupSync.objects.order_by("-pk")
    done = runs.filter(status=GroupSync.Status.COMPLETED)
    return Syncs(runs.first(), done.values_list("finished_at", flat=True).first())


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
    "guards": lambda: not guards_install.missing(),
    "durability": lambda: not durability_problem(),
    WORKER: has_live_worker,
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
