"""Health and readiness: cheap queries about sending, record and syncs.

The System page and the metrics share these queries. They use small indexes and do not
read the history.

A missing worker, or one whose threads die, is reported, but does not make the console
unready: people need the pages to notice it, and to pause and stop notifications.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Exists, Min, OuterRef
from django.utils import timezone

from notifications.db.durability import durability_problem
from notifications.delivery.heartbeat import has_live_worker
from notifications.models import (
    Attempt,
    AuditEntry,
    Delivery,
    GroupSync,
    Notification,
    TaskDeaths,
)
from notifications.record.audit_events import NOT_SEALED
from notifications.record.guards import install as guards_install
from notifications.system.machine import are_static_files_collected, enough_disk

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
# Checks of the worker.
WORKER, THREADS = "worker", "threads"
# A death counts as present for this long: longer than a worker with deaths may live.
RECENT_DEATHS = timedelta(minutes=15)
# Seconds. Several probes may ask each second and get the same results.
CACHE_SECONDS = 5.0
DATABASE_ERRORS = (DatabaseError, InterfaceError, ImproperlyConfigured)


@dataclass(frozen=True, slots=True)
class Queue:
    """``waiting`` counts deliveries by the status of their notification: scheduled,
    sending, paused. ``oldest_due`` is the time since which the first delivery of a
    sending notification could be called; ``None`` if none is due."""

    waiting: Mapping[str, int]
    in_flight: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """``notifications``: ids of those without a seal; ``ended``: the number of them that
    have ended; ``refused``: those that are not sealed because of their rows; ``since``:
    the time when the first of the others ended."""

    notifications: Collection[int]
    ended: int
    since: datetime | None
    refused: Sequence[int]


def queue(now: datetime) -> Queue:
    """Two queries."""
    waiting = {status.value: 0 for status in sorted(Notification.OPEN)}
    oldest = None
    rows = Delivery.objects.filter(
        status=Delivery.Status.QUEUED, notification__status__in=Notification.OPEN
    )
    for status, count, first in (
        rows.order_by()
        .values_list("notification__status")
        .annotate(Count("pk"), Min("not_before"))
    ):
        waiting[status] = count
        if status == Notification.Status.SENDING and first <= now:
            oldest = first
    in_flight = Delivery.objects.filter(status=Delivery.Status.SENDING).count()
    return Queue(waiting, in_flight, oldest)


@dataclass(frozen=True, slots=True)
class OpenQueries:
    """Unconfirmed deliveries about which Tencent is still queried.

    ``first_due``: when the first query was or will be due.
    """

    count: int
    first_due: datetime | None


def open_queries() -> OpenQueries:
    """One query, which reads an index of these deliveries only."""
    rows = Delivery.objects.filter(next_query_at__isnull=False)
    values = rows.aggregate(count=Count("pk"), first=Min("next_query_at"))
    return OpenQueries(values["count"], values["first"])


def paused() -> dict[str, int]:
    """The number of paused notifications by reason, zeros included."""
    rows = Notification.objects.filter(status=Notification.Status.PAUSED).order_by()
    counts = rows.values_list("paused_reason").annotate(Count("pk"))
    return dict.fromkeys(Notification.PauseReason.values, 0) | dict(counts)


def calls_in_last_minute(now: datetime) -> int:
    """Calls that left this machine, in the 60 s before ``now``."""
    not_calls = [Attempt.Outcome.NOT_SENT, Attempt.Outcome.WORKER_LOST]
    attempts = Attempt.objects.filter(started_at__gt=now - MINUTE)
    return attempts.exclude(outcome__in=not_calls).count()


def unsealed() -> Unsealed:
    """Sent notifications without a seal. One query.

    Those with an open query are sealed when Tencent has answered: they do not count
    for ``since``.
    """
    reports = AuditEntry.objects.filter(
        action=NOT_SEALED.word, notification_number=OuterRef("pk")
    )
    queried = Delivery.objects.filter(next_query_at__isnull=False)
    rows = list(
        Notification.objects.sent()
        .filter(seal__isnull=True)
        .order_by("pk")
        .annotate(
            is_refused=Exists(reports),
            is_asked=Exists(queried.filter(notification=OuterRef("pk"))),
        )
        .values_list("pk", "finished_at", "is_refused", "is_asked")
    )
    ended = [
        (pk, at, is_refused, is_asked)
        for pk, at, is_refused, is_asked in rows
        if at is not None
    ]
    return Unsealed(
        notifications=[pk for pk, *_others in rows],
        ended=len(ended),
        since=min((row[1] for row in ended if not row[2] and not row[3]), default=None),
        refused=[pk for pk, _at, is_refused, _is_asked in ended if is_refused],
    )


@dataclass(frozen=True, slots=True)
class Syncs:
    """The newest run, and the end of the last completed one."""

    latest: GroupSync | None
    completed_at: datetime | None


def syncs() -> Syncs:
    """Two queries; the table has about twenty rows at most."""
    runs = GroupSync.objects.order_by("-pk")
    done = runs.filter(status=GroupSync.Status.COMPLETED)
    return Syncs(runs.first(), done.values_list("finished_at", flat=True).first())


def threads_live() -> bool:
    """Whether no thread of a worker has died in the last 15 minutes. One query."""
    return not TaskDeaths.objects.filter(
        last_at__gt=timezone.now() - RECENT_DEATHS
    ).exists()


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def migrations_applied() -> bool:
    """Whether all migrations of this version are applied; newer ones are ignored."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


Check = Callable[[], bool]

BASIC_CHECKS: Mapping[str, Check] = {
    "database": database_answers,
    "disk": enough_disk,
    "static": are_static_files_collected,
}

# Skipped if the database does not answer: each of them would wait for it.
DATABASE_CHECKS: Mapping[str, Check] = {
    "migrations": migrations_applied,
    "guards": lambda: not guards_install.missing(),
    "durability": lambda: not durability_problem(),
    WORKER: has_live_worker,
    THREADS: threads_live,
}


class Readiness:
    """Results of the checks by name, cached for ``CACHE_SECONDS`` in this process.

    Two threads may run the checks at the same time, which is harmless.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._checked_at = float("-inf")
        self._results: dict[str, bool] = {}

    def checks(self) -> dict[str, bool]:
        now = self._clock()
        if now - self._checked_at >= CACHE_SECONDS:
            self._results = checks()
            self._checked_at = now
        return self._results


def checks() -> dict[str, bool]:
    """The results by name. A check that raises has failed; the log has the reason."""
    results = {name: _passes(name, check) for name, check in BASIC_CHECKS.items()}
    if not results["database"]:
        return results | dict.fromkeys(DATABASE_CHECKS, False)
    return results | {
        name: _passes(name, check) for name, check in DATABASE_CHECKS.items()
    }


def is_ready(results: Mapping[str, bool]) -> bool:
    return all(
        passed for name, passed in results.items() if name not in (WORKER, THREADS)
    )


def _passes(name: str, check: Check) -> bool:
    try:
        return check()
    except (*DATABASE_ERRORS, OSError) as error:
        logger.warning("The check “%s” failed to run: %s", name, error)
        return False
