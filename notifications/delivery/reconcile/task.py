"""The queries as a background task of the worker."""

from django.utils import timezone

from notifications import conf
from notifications.delivery.background import BackgroundTask
from notifications.delivery.reconcile.questions import open_queries
from notifications.delivery.reconcile.run import ReconcileRun
from notifications.delivery.threads import RECONCILING
from notifications.rate_limit.clock import engine_clock

EVERY = 1.0


def reconcile_task(im: conf.Connection, *, every: float = EVERY) -> BackgroundTask:
    """Return the task that queries Tencent about unconfirmed deliveries when due.

    It is idle when no query is open, not only when none is due: the worker does not end
    by itself before Tencent has been queried about each.
    """

    def is_idle() -> bool:
        return not open_queries().exists()

    def work(task: BackgroundTask) -> None:
        if not open_queries().filter(next_query_at__lte=timezone.now()).exists():
            return
        ReconcileRun(
            im,
            engine_clock(),
            worker_id=task.worker_id,
            may_go_on=task.may_go_on,
            pause=task.pause,
            deaths=task.deaths,
        ).run()

    return BackgroundTask(RECONCILING, work, every=every, is_idle=is_idle)
