"""The worker: one database thread, many HTTP threads, one short transaction per tick.

Each tick writes new results, renews the worker's lease, recovers rows of dead workers,
and claims as many due deliveries as there are free slots and threads. The HTTP threads
get the claims only after the commit.

    guarantee   every call is recorded in the database before it is made
    not here    HTTP, sleeping inside a transaction, decisions about an outcome
"""

import logging
import os
import platform
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from notifications import conf
from notifications.audit.settings_changes import application_since
from notifications.delivery import amendments, recovery, worker_lock
from notifications.delivery import schedule as delivery_schedule
from notifications.delivery.background import BackgroundTask
from notifications.delivery.claim import Claim, not_stopped
from notifications.delivery.finish import complete_finished
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.delivery.planner import ClaimPlanner
from notifications.delivery.restore_guard import DatabaseIsOlder
from notifications.delivery.results import ResultWriter
from notifications.delivery.threads import (
    CALLS,
    MAX_DEATHS,
    SENDING,
    Deaths,
    TooManyDeaths,
)
from notifications.models import Delivery, Worker
from notifications.rate_limit.clock import EngineClock

logger = logging.getLogger(__name__)

# In seconds.
TICK = 0.025
IDLE_TICK = 0.25
CHORE_INTERVAL = 1.0
DATABASE_ERROR_PAUSE = 1.0

HTTP_THREADS = 64


class SendWorker:
    """One run of ``manage.py send_worker``. Calls ``stop_requested`` in every tick.

    ``tasks`` run as long as the worker does.
    """

    def __init__(
        self,
        im: conf.Connection,
        clock: EngineClock,
        *,
        stop_requested: Callable[[], bool],
        until_idle: bool = False,
        threads: int = HTTP_THREADS,
        tasks: Sequence[BackgroundTask] = (),
    ) -> None:
        self.clock = clock
        self.stop_requested = stop_requested
        self.until_idle = until_idle
        self.deaths = Deaths()
        self.http_workers: HttpWorkers[Claim] = HttpWorkers(
            im, clock, threads, self.deaths, CALLS
        )
        self.planner = ClaimPlanner(
            im.endpoint.sdk_app_id, conf.calls_per_second(), clock
        )
        self.tasks = tasks
        self.jitter = random.Random()  # noqa: S311  spreads retries, guards no secret
        self.worker_id = 0
        self.in_flight: dict[int, int] = {}  # delivery id → attempt number
        self.unwritten: list[Result[Claim]] = []  # until they are committed
        self.next_chores = 0.0
        self.had_database_error = False
        self.lease_watch = recovery.LeaseWatch()

    def run(self) -> None:
        """Work until a stop is requested, or with ``until_idle`` until no work is left.

        After a stop request, nothing is claimed; calls in progress are completed and
        written. So it ends as well after an unexpected error in this thread, or several
        ones in another thread, and raises ``TooManyDeaths``. Raises ``DatabaseIsOlder``
        when the database was restored from a backup.
        """
        self.planner.check_restored()
        if self.stop_requested():
            return
        try:
            self._register()
            amendments.end_of_another_application(
                application_since(), datetime.now(UTC)
            )
            self.http_workers.keep_alive()
            for task in self.tasks:
                task.start(lambda: self.worker_id, self.deaths)
            self._loop()
        finally:
            self.http_workers.stop()
            for task in self.tasks:
                task.stop()
            self._end()
        if task_name := self._dying_task():
            raise TooManyDeaths(task_name)

    def _end(self) -> None:
        if self.in_flight:  # after an error only
            logger.error(
                "The results of these deliveries could not be written: %s",
                sorted(self.in_flight),
            )
        try:
            Worker.objects.filter(pk=self.worker_id).update(ended_at=timezone.now())
            self.deaths.write()
            worker_lock.release()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database has no record of the worker's end: %s", error)
        self.planner.restore_guard.write()

    def _dying_task(self) -> str:
        """Return the name of the task whose errors end the worker, or an empty string."""
        return SENDING if self.deaths.counts[SENDING] else self.deaths.too_many()

    def _loop(self) -> None:
        while True:
            started = self.clock.machine()
            stopping = self.stop_requested() or bool(self._dying_task())
            if stopping and not self.in_flight and not self.unwritten:
                return
            try:
                is_busy = self._tick(claiming=not stopping)
                if self.until_idle and not is_busy and self._is_idle():
                    return
                pause = TICK if is_busy or self.in_flight else IDLE_TICK
                worker_lock.wait_for_work(
                    max(0.0, started + pause - self.clock.machine())
                )
            except (DatabaseError, InterfaceError):
                logger.exception(
                    "Database error; %d results will be written after it recovers.",
                    len(self.unwritten),
                )
                connection.close()
                self._after_database_error()
                time.sleep(DATABASE_ERROR_PAUSE)
            except DatabaseIsOlder:
                raise
            except BaseException as error:
                # The worker ends, but first it writes the results in hand.
                self.deaths.record(SENDING, error)
                if self.deaths.counts[SENDING] >= MAX_DEATHS:
                    raise TooManyDeaths(SENDING) from error
                connection.close()
                self.had_database_error = True

    def _after_database_error(self) -> None:
        self.had_database_error = True
        self.lease_watch.restart()

    def _register(self) -> None:
        self.worker_id = Worker.objects.create(
            name=f"{platform.node()}:{os.getpid()}"[:100],
            boot_id=self.clock.boot_id,
            lease=self.clock.now(),
            heartbeat_at=timezone.now(),
        ).pk
        worker_lock.acquire(self.worker_id)
        logger.info("Worker %d started.", self.worker_id)

    def _tick(self, *, claiming: bool) -> bool:
        """Run one tick. Return whether it wrote results or claims."""
        chores_due = self.had_database_error or self.clock.machine() >= self.next_chores
        if chores_due:
            self.http_workers.keep_alive()
            for task in self.tasks:
                task.keep_alive()
        self._collect()
        now = datetime.now(UTC)
        may_claim = (
            claiming and self.http_workers.free > 0 and self.planner.should_claim(now)
        )
        if not (self.unwritten or chores_due or may_claim):
            return False
        if self.had_database_error:
            worker_lock.acquire(self.worker_id)
        claims: list[Claim] = []
        with transaction.atomic():
            if chores_due:
                self._chores(now)
            if self.had_database_error:
                self._requeue_undispatched(now)
            if self.unwritten:
                self._write_results(now)
            if may_claim:
                claims = self.planner.claim(self.worker_id, self.http_workers.free, now)
        if claims:
            self.planner.committed()
        self.had_database_error = False
        had_results = bool(self.unwritten)
        for result in self.unwritten:
            self.in_flight.pop(result.request.delivery_id, None)
        self.unwritten.clear()
        for claim in claims:
            self.in_flight[claim.delivery_id] = claim.attempt
            self.http_workers.submit(claim, claim.slot)
        if chores_due:
            self.planner.restore_guard.write()
            self.deaths.write()
            self.next_chores = self.clock.machine() + CHORE_INTERVAL
        # In separate transactions: they may conflict with other workers.
        if chores_due:
            amendments.settle_waiting(now)
        if chores_due or (had_results and not self.in_flight):
            complete_finished(now, f"worker {self.worker_id}")
        return had_results or bool(claims)

    def _collect(self) -> None:
        for result in self.http_workers.results():
            self.unwritten.append(result)
            if result.defect is not None:
                self.deaths.record(CALLS, result.defect, result.request.log_fields)

    def _write_results(self, now: datetime) -> None:
        writer = ResultWriter(
            self.worker_id,
            now,
            retry_internal_error=settings.IM_RETRY_INTERNAL_ERROR,
            jitter=self.jitter,
        )
        writer.write(self.unwritten)
        if writer.slow_down:
            self.planner.slow_down(writer.slow_down)

    def _chores(self, now: datetime) -> None:
        """Once a second: renew the lease, recover lost rows, apply schedules."""
        self.planner.check_restored()
        self.clock.read_database()
        renewed = Worker.objects.filter(
            pk=self.worker_id, ended_at__isnull=True
        ).update(lease=self.clock.now(), heartbeat_at=now)
        if not renewed:
            # Another worker declared this one dead, for example after a long pause, and
            # recovers its rows. Continue under a new id.
            logger.warning("Worker %d was declared dead.", self.worker_id)
            self._register()
        recovery.end_dead_workers(
            self.lease_watch, self.clock.boot_id, self.worker_id, now
        )
        lost = recovery.give_up_lost_rows(self.worker_id, now)
        if lost:
            logger.warning("%d deliveries of a dead worker became unconfirmed.", lost)
        recovery.repair_clock_jump(now)
        actor = f"worker {self.worker_id}"
        delivery_schedule.stop_expired(now, actor)
        delivery_schedule.start_scheduled(now, actor)

    def _requeue_undispatched(self, now: datetime) -> None:
        count = recovery.requeue_undispatched(self.worker_id, self.in_flight, now)
        if count:
            logger.warning("Requeued %d claimed deliveries without a call.", count)

    def _is_idle(self) -> bool:
        """Return whether no delivery is queued, to be retried, or being sent by any worker."""
        if self.in_flight or self.unwritten:
            return False
        if not all(task.is_idle() for task in self.tasks):
            return False
        if Delivery.objects.filter(status=Delivery.Status.SENDING).exists():
            return False
        return not Delivery.objects.filter(
            status=Delivery.Status.QUEUED, notification__in=not_stopped()
        ).exists()
