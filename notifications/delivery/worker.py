"""The worker: one database thread, many HTTP threads, one short transaction a tick.

Each tick writes the outcomes that came in, reports that the worker lives, looks after
rows of dead workers, and claims as many due deliveries as there are free slots and
threads. Only after the commit do the HTTP threads get the claims.

    guarantee   no call is made that is not marked in the database before
    not here    no HTTP, no sleeping inside a transaction, no decision about an outcome
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
from notifications.delivery import recovery, worker_lock
from notifications.delivery import schedule as delivery_schedule
from notifications.delivery.background import BackgroundTask
from notifications.delivery.claim import Claim, ClaimPlanner
from notifications.delivery.finish import complete_finished
from notifications.delivery.http_workers import HttpWorkers, Result
from notifications.delivery.restore_guard import DatabaseIsOlder
from notifications.delivery.results import ResultWriter
from notifications.models import Delivery, Notification, SendingSwitch, Worker
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.limiter import RateLimiter
from notifications.rate_limit.slots import HORIZON
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)

logger = logging.getLogger(__name__)


TICK = 0.025

IDLE_TICK = 0.25

CHORES_EVERY = 1.0

AFTER_DATABASE_ERROR = 1.0

HTTP_THREADS = 64


class SendWorker:
    """One run of ``manage.py send_worker``. ``stop_requested`` is asked every tick.

    ``tasks`` run for as long as the worker does.
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
        self.http_workers: HttpWorkers[Claim] = HttpWorkers(im, clock, threads)
        self.limiter = RateLimiter(
            f"{im.endpoint.sdk_app_id}:{SendGroupSystemNotification.COMMAND}",
            conf.calls_per_second(),
            clock,
            horizon=HORIZON,
        )
        self.planner = ClaimPlanner(self.limiter)
        self.tasks = tasks
        self.jitter = random.Random()  # noqa: S311  spreads retries, guards no secret
        self.worker_id = 0
        self.in_flight: dict[int, int] = {}  # delivery → number of its attempt
        self.unwritten: list[Result[Claim]] = []  # kept until a commit has them
        self.next_chores = 0.0
        self.defect: Exception | None = None
        self.after_error = False

    def run(self) -> None:
        """Work until asked to stop, or until nothing is left with ``until_idle``.

        On a stop nothing new is claimed, what is under way is finished and written.
        Raises ``DatabaseIsOlder`` when the database was restored from a backup.
        """
        self._register()
        self.http_workers.start()
        for task in self.tasks:
            task.start(lambda: self.worker_id)
        try:
            self._loop()
        except DatabaseIsOlder:
            self.http_workers.stop()
            self._collect()
            logger.warning(
                "Outcomes without a row to write them to: %s", self.unwritten
            )
            raise
        finally:
            self.http_workers.stop()
            for task in self.tasks:
                task.stop()
        self.planner.restore_mark.write()
        Worker.objects.filter(pk=self.worker_id).update(ended_at=timezone.now())
        worker_lock.release()

    def _loop(self) -> None:
        while True:
            began = self.clock.machine()
            stopping = self.stop_requested()
            if stopping and not self.in_flight and not self.unwritten:
                return
            try:
                is_busy = self._tick(claiming=not stopping)
                if self.until_idle and not is_busy and self._is_idle():
                    return
                pause = TICK if is_busy or self.in_flight else IDLE_TICK
                worker_lock.wait_for_work(
                    max(0.0, began + pause - self.clock.machine())
                )
            except (DatabaseError, InterfaceError):
                logger.exception(
                    "The database did not answer as expected; %d outcomes are kept "
                    "and written when it is back.",
                    len(self.unwritten),
                )
                connection.close()
                self.after_error = True
                time.sleep(AFTER_DATABASE_ERROR)

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
        """One round; whether it had anything to write."""
        self._collect()
        now = datetime.now(UTC)
        chores_due = self.after_error or self.clock.machine() >= self.next_chores
        wants_more = (
            claiming and self.http_workers.free > 0 and self.planner.should_claim(now)
        )
        if not (self.unwritten or chores_due or wants_more):
            return False
        if self.after_error:
            worker_lock.acquire(self.worker_id)
        claims: list[Claim] = []
        with transaction.atomic():
            if chores_due:
                self._chores(now)
            if self.after_error:
                self._after_error(now)
            if self.unwritten:
                self._settle(now)
            if wants_more:
                claims = self.planner.claim(self.worker_id, self.http_workers.free, now)
        if claims:
            self.planner.committed()
        self.after_error = False
        if self.defect is not None:
            raise self.defect  # the other outcomes are written
        had_results = bool(self.unwritten)
        for result in self.unwritten:
            del self.in_flight[result.request.delivery_id]
        self.unwritten.clear()
        self._hand_out(claims)
        if chores_due:
            self.planner.restore_mark.write()
            self.next_chores = self.clock.machine() + CHORES_EVERY
        if chores_due or (had_results and not self.in_flight):
            # After the commit, and on its own: it may meet other workers' rows.
            complete_finished(now)
        return had_results or bool(claims)

    def _collect(self) -> None:
        for result in self.http_workers.results():
            if result.defect is None:
                self.unwritten.append(result)
            else:
                self.defect = result.defect
                logger.error(
                    "A call ended by a mistake in this program; the worker stops.",
                    exc_info=result.defect,
                    extra=result.request.about,
                )

    def _settle(self, now: datetime) -> None:
        settled = ResultWriter(
            self.worker_id,
            now,
            retry_internal_error=settings.IM_RETRY_INTERNAL_ERROR,
            jitter=self.jitter,
        ).write(self.unwritten)
        if settled.slow_down:
            self.limiter.slow_down()

    def _chores(self, now: datetime) -> None:
        """Once a second: say that we live, look after the dead and the calendar."""
        self.clock.read_database()
        alive = Worker.objects.filter(pk=self.worker_id, ended_at__isnull=True).update(
            lease=self.clock.now(), heartbeat_at=now
        )
        if not alive:
            # Somebody declared us dead, for example after a long standstill. What we
            # still hold is theirs now; we go on under a new number.
            logger.warning("Worker %d was declared dead.", self.worker_id)
            self._register()
        lost = recovery.give_up_lost_rows(self.clock, self.worker_id, now)
        if lost:
            logger.warning("%d deliveries of a dead worker are not confirmed.", lost)
        recovery.repair_clock_jump(now)
        actor = f"worker {self.worker_id}"
        delivery_schedule.stop_expired(now, actor)
        delivery_schedule.start_scheduled(now, actor)

    def _after_error(self, now: datetime) -> None:
        count = recovery.requeue_undispatched(self.worker_id, self.in_flight, now)
        if count:
            logger.warning(
                "%d claimed deliveries were not called; queued again.", count
            )

    def _hand_out(self, claims: list[Claim]) -> None:
        for order in claims:
            self.in_flight[order.delivery_id] = order.attempt
            self.http_workers.submit(order, order.slot)

    def _is_idle(self) -> bool:
        """Nothing queued, waiting for a retry, or sending, whoever sends it."""
        if self.in_flight or self.unwritten:
            return False
        if not all(task.is_idle() for task in self.tasks):
            return False
        if Delivery.objects.filter(status=Delivery.Status.SENDING).exists():
            return False
        if SendingSwitch.present().is_off:
            return True
        return not Delivery.objects.filter(
            status=Delivery.Status.QUEUED,
            notification__status=Notification.Status.SENDING,
        ).exists()
