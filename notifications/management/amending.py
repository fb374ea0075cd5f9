"""The common part of ``recall_notification`` and ``correct_notification``."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import audit_log
from notifications.amendments.messages import LeftOut, Part, preview
from notifications.amendments.presentation import LABELS
from notifications.amendments.services import Started
from notifications.delivery.heartbeat import has_live_worker
from notifications.management.base import (
    REFUSED,
    get_active_user,
    refusal,
    wait_for_end,
)
from notifications.models import AuditEntry, Channel, Notification

EXIT_CODES = (
    "Without --wait, exit code 0 only means that the run is queued for the worker. Exit "
    "code 0: queued, or with --wait: every group that has the message was reached; 1: a "
    "delivery failed or is unconfirmed, or the run was paused or stopped; 2: refused, "
    "nothing was changed."
)


class AmendingCommand(BaseCommand):
    # The word of the result, before the number of groups.
    done: ClassVar[str]

    def start(
        self, user: User, notification_id: int, part: Part, options: Mapping[str, Any]
    ) -> Started:
        """Start the run."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "notification", type=int, metavar="ID", help="number of the notification"
        )
        parser.add_argument(
            "--as",
            dest="username",
            required=True,
            metavar="USERNAME",
            help="user who does this",
        )
        part = parser.add_argument_group(
            "only groups of the notification that meet every one of these conditions"
        )
        several: dict[str, Any] = {"action": "extend", "nargs": "+", "default": []}
        part.add_argument("--group", metavar="ID", help="these groups", **several)
        part.add_argument(
            "--type",
            metavar="TYPE",
            help="with one of these types when it was sent",
            **several,
        )
        part.add_argument(
            "--label", metavar="NAME", help="with one of these labels now", **several
        )
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait until the run has ended and Tencent is not asked about it any more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_active_user(options["username"])
        number = options["notification"]
        part = Part(
            types=options["type"], labels=options["label"], group_ids=options["group"]
        )
        try:
            with audit_log.origin(audit_log.Origin(lambda: user)):
                started = self.start(user, number, part, options)
        except Notification.DoesNotExist:
            raise CommandError(_why_missing(number), returncode=REFUSED) from None
        except (ValidationError, PermissionDenied) as error:
            raise refusal(error) from None
        if started.was_stopped and started.run:
            self.stderr.write(f"Notification {number} was still being sent: stopped.")
        if not started.run:
            self._write_only_stopped(number, part)
            return
        self._write_run(started.run)
        if options["wait"]:
            if not has_live_worker():
                self.stderr.write(
                    "No worker is running: the command waits until one is started."
                )
            wait_for_end(started.run, self.stdout, accepted=self.done)

    def _write_run(self, run: Notification) -> None:
        """What was counted when the run began."""
        entry = AuditEntry.objects.filter(notification_number=run.pk).earliest("pk")
        left_out = entry.detail["left_out_count"]
        self.stdout.write(
            f"notification={run.pk} groups={run.audience_count} left_out={left_out}"
        )
        reasons = entry.detail["left_out_reasons"]
        if left_out:
            counts = {LeftOut(word): count for word, count in reasons.items()}
            self.stderr.write(f"Left out: {_sentence(counts)}.")

    def _write_only_stopped(self, number: int, part: Part) -> None:
        notification = Notification.objects.get(pk=number)
        counts = preview(notification, Channel.RECALL, part).left_out
        self.stdout.write(f"stopped={number} groups=0 left_out={sum(counts.values())}")
        if counts.keys() <= {LeftOut.NOT_SENT}:
            self.stderr.write(
                f"Notification {number} was stopped before any group got it."
            )
        else:
            self.stderr.write(
                f"Notification {number} was stopped. Nothing can be taken back: "
                f"{_sentence(counts)}."
            )


def _sentence(counts: Mapping[LeftOut, int]) -> str:
    return ", ".join(f"{count:,} · {LABELS[one]}" for one, count in counts.items())


def _why_missing(number: int) -> str:
    if Notification.objects.filter(pk=number).exists():
        return f"Notification {number} is a draft: no group has got it."
    return f"There is no notification {number}."
