"""``manage.py check_connection``: the way to Tencent, a step at a time."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError, CommandParser

from notifications import audit_log
from notifications.delivery.explanations import explain
from notifications.delivery.heartbeat import has_live_worker
from notifications.management.base import (
    FAILED,
    REFUSED,
    RecordedCommand,
    account,
    refusal,
    user_named,
    wait_for_end,
)
from notifications.models import SendingSwitch
from notifications.system.connection import failed_step
from notifications.system.connection_check import check_connection_by, send_trial_notice
from notifications.system.connection_presentation import StepLine, first_hour, line


class Command(RecordedCommand):
    help = (
        "Try the way to Tencent step by step, and make one call that nobody notices. "
        "With a group, then send it one real notice, marked as a test, and wait for its "
        "outcome. Exit code 0: all is well; 1: a step failed, or the notice; 2: refused."
    )
    # What is missing is the first step's to say.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--group", metavar="ID", help="a test group of the list")
        parser.add_argument(
            "--as",
            dest="username",
            metavar="USERNAME",
            help="in whose name the notice is sent",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        group, username = options["group"], options["username"]
        if bool(group) != bool(username):
            raise CommandError("Name both --group and --as.", returncode=REFUSED)
        sender = user_named(username) if username else None
        try:
            results = check_connection_by(f"check_connection ({account()})")
        except ValidationError as error:
            raise refusal(error) from None
        for result in results:
            self._tell(line(result))
        if failed := failed_step(results):
            self._tell_first_hour()
            raise CommandError(f"{failed.step.label} failed.", returncode=FAILED)
        if sender is not None:
            self._send(sender, group)

    def _tell(self, told: StepLine) -> None:
        result = told.result
        head = f"{result.state.label:<12} {result.step.label:<17}"
        self.stdout.write(f"{head} {told.finding or '-'}")
        for text in told.quotes:
            self.stdout.write(f"    {text}")
        if told.remedy:
            self.stdout.write(f"    {told.remedy}")

    def _tell_first_hour(self) -> None:
        self.stderr.write("\nWhat goes wrong in the first hour:")
        for hint in first_hour():
            self.stderr.write(f"  {hint.name}. {hint.seen} {hint.remedy}")

    def _send(self, sender: User, group: str) -> None:
        try:
            with audit_log.origin(audit_log.Origin(lambda: sender)):
                sent = send_trial_notice(sender, group)
        except (ValidationError, PermissionDenied) as error:
            raise refusal(error) from None
        self.stdout.write(f"notification={sent.pk}")
        if SendingSwitch.present().is_off:
            raise CommandError(
                "All sending is stopped: it waits until somebody allows it again.",
                returncode=FAILED,
            )
        if not has_live_worker():
            raise CommandError(
                "No worker is running: it waits. Start manage.py send_worker.",
                returncode=FAILED,
            )
        try:
            wait_for_end(sent, self.stdout)
        except CommandError:
            if why := explain(sent.deliveries.get()):
                self.stderr.write(f"{why.meaning} {why.mark} {why.remedy}")
            self._tell_first_hour()
            raise
