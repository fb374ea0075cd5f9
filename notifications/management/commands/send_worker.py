"""``manage.py send_worker``: make the calls for the notifications that were sent."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import conf, logs
from notifications.audit.settings_changes import record_settings
from notifications.compose.services import member_check, sender_check
from notifications.compose.services.preparation import cleanup_task
from notifications.db.durability import durability_problem, pooling_problem
from notifications.delivery.background import sealing_task
from notifications.delivery.reconcile.task import reconcile_task
from notifications.delivery.requests import Handler, request_task
from notifications.delivery.restore_guard import DatabaseIsOlder
from notifications.delivery.threads import TooManyDeaths
from notifications.delivery.worker import SendWorker
from notifications.groups.sync.task import sync_task
from notifications.management.base import FAILED, REFUSED, os_user
from notifications.models import Notification, WorkerRequest
from notifications.rate_limit.clock import engine_clock
from notifications.record.guards import install as guards_install
from notifications.record.sealing import seal_all
from notifications.system import connection_check
from notifications.system.checks import worker_problems
from notifications.system.probe import services as probe_services

# What the pages ask Tencent.
HANDLERS: dict[WorkerRequest.Kind, Handler] = {
    WorkerRequest.Kind.CONNECTION: connection_check.answer,
    WorkerRequest.Kind.MEMBERS: member_check.answer,
    WorkerRequest.Kind.PROBE: probe_services.answer,
    WorkerRequest.Kind.SENDER: sender_check.answer,
}


class Command(BaseCommand):
    help = (
        "Send the queued notifications to Tencent, and sync the list of chat groups when "
        "requested or due. Runs until Ctrl-C or SIGTERM; then it finishes the calls in "
        "progress, which takes 15 s at most. Several workers can run at the same time. "
        "Exit code 1: ended after unexpected errors. Exit code 2: refused to start, for "
        "example because a setting is missing."
    )

    # handle() runs the checks and reports the problems in one sentence.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--until-idle",
            action="store_true",
            help="exit when no delivery is queued, waiting for a retry or sending, no sync is "
            "open, and Tencent is not to be asked about a delivery any more; lists paused "
            "notifications, but does not wait for them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_bad_settings()
        record_settings(f"send_worker ({os_user()})")
        stop = _StopFlag()
        signal.signal(signal.SIGTERM, stop.set)
        signal.signal(signal.SIGINT, stop.set)
        im = conf.connection()
        worker = SendWorker(
            im,
            engine_clock(),
            stop_requested=stop,
            until_idle=options["until_idle"],
            tasks=[
                sealing_task(),
                sync_task(im),
                request_task(HANDLERS),
                reconcile_task(im),
                cleanup_task(),
            ],
        )
        try:
            with logs.log_context(worker=lambda: worker.worker_id):
                worker.run()
        except DatabaseIsOlder as error:
            raise CommandError(str(error), returncode=REFUSED) from None
        except TooManyDeaths as error:
            raise CommandError(str(error), returncode=FAILED) from None
        if options["until_idle"]:
            seal_all()
            self._write_paused()

    def _refuse_bad_settings(self) -> None:
        problems = worker_problems()
        if problems:
            sentences = " ".join(f"{p.msg} {p.hint}" for p in problems)
            raise CommandError(
                f"The worker does not start. {sentences}", returncode=REFUSED
            )
        if problem := durability_problem() or pooling_problem():
            raise CommandError(
                f"The worker does not start. {problem}", returncode=REFUSED
            )
        if names := guards_install.missing():
            raise CommandError(
                "The worker does not start. Guards of the record are missing or were "
                f"changed: {', '.join(names)}. Run manage.py migrate to create them "
                "again; then find out who removed them.",
                returncode=REFUSED,
            )

    def _write_paused(self) -> None:
        paused = Notification.objects.filter(status=Notification.Status.PAUSED)
        for notification in paused.order_by("id"):
            reason = notification.paused_reason
            code = notification.paused_code
            self.stderr.write(
                f"notification {notification.pk} is paused: {reason}"
                + (f" (ErrorCode {code})" if code is not None else "")
            )


class _StopFlag:
    """A flag that a signal handler sets and the worker reads on every tick."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self, _number: int, _frame: FrameType | None) -> None:
        self.is_set = True

    def __call__(self) -> bool:
        return self.is_set
