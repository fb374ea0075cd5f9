"""The sync as a background task of the worker."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from django.db import DatabaseError, IntegrityError, InterfaceError

from notifications import conf
from notifications.delivery.background import BackgroundTask, StopRequested
from notifications.groups.sync import finish as sync_finish
from notifications.groups.sync import services as sync_services
from notifications.groups.sync.run import SyncRun
from notifications.models import GroupSync
from notifications.rate_limit.clock import engine_clock

logger = logging.getLogger(__name__)

EVERY = 1.0

# The reason of a run that failed by a mistake in this program.
DEFECT = "defect"


def sync_task(
    im: conf.Connection,
    *,
    every: float = EVERY,
    make_run: Callable[..., SyncRun] = SyncRun,
) -> BackgroundTask:
    """Makes the runs that were asked for or are due."""

    def work(task: BackgroundTask) -> None:
        with suppress(sync_finish.RunEnded):
            sync_services.ask_if_due(datetime.now(UTC))
            sync = GroupSync.objects.open().first()
            if sync is not None:
                _sync(task, sync, im, make_run)
                sync_finish.purge(task.pause)

    return BackgroundTask("sync of the groups", work, every=every, is_idle=_is_idle)


def _is_idle() -> bool:
    return not GroupSync.objects.open().exists()


def _sync(
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
    )
    try:
        run.go()
    except IntegrityError:
        # Another process added one of the groups meanwhile: the run goes on.
        logger.exception("The sync of the groups stopped; it goes on by itself.")
    except (StopRequested, DatabaseError, InterfaceError):
        raise
    except Exception:
        # Tried again it would fail again: the run ends, and the log tells why.
        with suppress(sync_finish.RunEnded):
            sync_finish.finish(
                sync.pk,
                GroupSync.Status.FAILED,
                actor,
                datetime.now(UTC),
                reason=DEFECT,
            )
        raise
