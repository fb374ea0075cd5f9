"""``manage.py probe_application``: try out what the application may do at Tencent."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError, CommandParser

from notifications import audit_log
from notifications.management.base import (
    FAILED,
    REFUSED,
    RecordedCommand,
    get_active_user,
    refusal,
)
from notifications.system.checks import worker_problems
from notifications.system.probe.presentation import capability_table
from notifications.system.probe.services import probe


class Command(RecordedCommand):
    help = (
        "Try out in one test group what the application may do at Tencent: about a dozen "
        "calls, some of which members of the group see as a test. Messages that Tencent "
        "keeps are taken back. The answers are stored, and shown on the page of the "
        "connection. Exit code 0: every call had a verdict; 1: one had none, or a message "
        "is still in the group; 2: refused."
    )
    # worker_problems() reports all problems in one sentence.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--group", metavar="ID", required=True, help="ID of the test group"
        )
        parser.add_argument(
            "--as",
            dest="username",
            metavar="USERNAME",
            required=True,
            help="user who probes, with the rights to see the System page and to send",
        )
        parser.add_argument(
            "--member",
            metavar="ID",
            default="",
            help="member who gets the message to named members; without one, the "
            "administrator account",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if problems := worker_problems():
            sentences = " ".join(f"{p.msg} {p.hint}" for p in problems)
            raise CommandError(sentences, returncode=REFUSED)
        user = get_active_user(options["username"])
        try:
            with audit_log.origin(audit_log.Origin(lambda: user)):
                trial = probe(user, options["group"], options["member"])
        except (ValidationError, PermissionDenied) as error:
            raise refusal(error) from None
        for row in capability_table().rows:
            line = f"{row.answer:<10} {row.label:<40} {row.text}"
            self.stdout.write(line.rstrip())
            if row.quote:
                self.stdout.write(f"    {row.quote}")
        if trial.remaining or trial.untraced:
            seqs = ", ".join(map(str, trial.remaining)) or "without a known number"
            raise CommandError(
                f"A message is still in the group, or may be: {seqs}.",
                returncode=FAILED,
            )
        if not trial.is_complete:
            raise CommandError(
                "The probe ended early: a call had no verdict, or all sending was "
                "stopped.",
                returncode=FAILED,
            )
