"""``manage.py check_connection``: check the connection to Tencent step by step."""

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
    get_active_user,
    os_user,
    refusal,
    wait_for_end,
)
from notifications.models import SendingSwitch
from notifications.system.connection import failed_step
from notifications.system.connection_check import check_connection_by, send_trial_notice
from notifications.system.connection_presentation import StepLine, first_hour, line


class Command(RecordedCommand):
    help = (
        "Check the connection to Tencent step by step, including one call that no group "
        "member sees. With --group and --as, then send one real notification, marked as "
        "a test, to that group and wait for its outcome. Exit code 0: every step and the "
        "notification succeeded; 1: one of them failed; 2: refused, for example because "
        "a check has just run."
    )
    # The first step of the check reports missing settings.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--group", metavar="ID", help="ID of the chat group that gets the test"
        )
        parser.add_argument(
            "--as",
            dest="username",
            metavar="USERNAME",
            help="user who sends the test notification",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        group, username = options["group"], options["username"]
        if bool(group) != bool(username):
            raise CommandError("Name both --group and --as.", returncode=REFUSED)
        sender = get_active_user(username) if username else None
        try:
            results = check_connection_by(f"check_connection ({os_user()})")
        except ValidationError as error:
            raise refusal(error) from None
        for result in results:
            self._write_step(line(result))
        if failed := failed_step(results):
            self._write_first_hour()
            raise CommandError(f"{failed.step.label} failed.", returncode=FAILED)
        if sender is not None:
            self._send(sender, group)

    def _write_step(self, step: StepLine) -> None:
        result = step.result
        head = f"{result.state.label:<12} {result.step.label:<17}"
        self.stdout.write(f"{head} {step.finding or '-'}")
        for text in step.quotes:
            self.stdout.write(f"    {text}")
        if step.remedy:
            self.stdout.write(f"    {step.remedy}")

    def _write_first_hour(self) -> None:
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
                "All sending is stopped: the notification waits until sending is "
                "allowed again.",
                returncode=FAILED,
            )
        if not has_live_worker():
            raise CommandError(
                "No worker is running: the notification waits. Start manage.py "
                "send_worker.",
                returncode=FAILED,
            )
        try:
            wait_for_end(sent, self.stdout)
        except CommandError:
            if why := explain(sent.deliveries.get()):
                self.stderr.write(f"{why.meaning} {why.mark} {why.remedy}")
            self._write_first_hour()
            raise
