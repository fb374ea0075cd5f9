"""The sync as a background task of the worker."""

import logging
from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError, IntegrityError, InterfaceError
from django.utils import timezone

from notifications import conf
from notifications.delivery.background import BackgroundTask, StopRequested
from notifications.delivery.threads import SYNC
from notifications.groups.sync import finish as sync_finish
from notifications.groups.sync import services as sync_services
from notifications.groups.sync.details import GroupAddedMeanwhile
from notifications.groups.sync.run import SyncRun
from notifications.models import GroupSync
from notifications.rate_limit.clock import engine_clock

logger = logging.getLogger(__name__)

EVERY = 1.0

# Errors that a later round may not meet again.
MAY_PASS = (StopRequested, DatabaseError, InterfaceError)


def sync_task(
    im: conf.Connection,
    *,
    every: float = EVERY,
    make_run: Callable[..., SyncRun] = SyncRun,
) -> BackgroundTask:
    """Return the task that makes the runs that are requested or due."""

    def is_idle() -> bool:
        return not GroupSync.objects.open().exists()

    def work(task: BackgroundTask) -> None:
        with suppress(sync_finish.RunEnded):
            sync_services.request_sync_if_due(timezone.now())
            sync = GroupSync.objects.open().first()
            if sync is not None:
                _run(task, sync, im, make_run)
                sync_finish.purge(task.pause)

    return BackgroundTask(SYNC, work, every=every, is_idle=is_idle)


def _run(
    task: BackgroundTask,
    sync: GroupSync,
    im: conf.Connection,
    make_run: Callable[..., SyncRun],
) -> None:
    actor = f"worker {task.worker_id()}"
    run = make_run(
        sync,
        im,
        engine_clock(),
        actor=actor,
        may_go_on=task.may_go_on,
        pause=task.pause,
        deaths=task.deaths,
    )
    try:
        run.run()
    except GroupAddedMeanwhile:
        logger.info("A group was added meanwhile; the next round continues the sync.")
    except BaseException as error:
        if isinstance(error, MAY_PASS) and not isinstance(error, IntegrityError):
            raise
        # A retry would fail again: the run ends, and the error is logged.
        with suppress(sync_finish.RunEnded):
            sync_finish.finish(
                sync.pk, GroupSync.Status.FAILED, actor, reason=sync_finish.DEFECT
            )
        raise
