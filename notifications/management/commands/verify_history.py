"""``manage.py verify_history``: verify the record against its seals."""

import argparse
import re
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from notifications import audit_log
from notifications.management.base import FAILED, REFUSED, date_option, refusal
from notifications.models import Notification
from notifications.record.audit_events import VERIFIED
from notifications.record.verification import Verification, verify

MAX_RANGES = 20


class Command(BaseCommand):
    help = (
        "Compare the history and the audit trail with their seals. Notifications that "
        "are not sealed yet are counted, but not verified. Exit code 0: unchanged; 1: "
        "changed; the output names the first row that differs for each seal; 2: the "
        "verification could not run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--notification",
            type=int,
            metavar="N",
            help="verify the rows of this notification only",
        )
        parser.add_argument(
            "--since",
            type=date_option,
            metavar="DATE",
            help="verify the rows sealed on or after this date, like 2026-03-02, only",
        )
        parser.add_argument(
            "--expect",
            type=_head,
            metavar="HEAD",
            help="a head of the chain of seals that you stored elsewhere, or at least "
            "its first 12 digits: fail if no seal has it",
        )
        parser.add_argument(
            "--archive",
            type=Path,
            metavar="DIR",
            help="verify the files of archive_history in this folder, too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        number, since = options["notification"], options["since"]
        if number and not Notification.objects.filter(pk=number, seal__isnull=False):
            raise CommandError(
                f"There is no sealed notification {number}.", returncode=REFUSED
            )
        began = time.monotonic()
        try:
            verification = verify(
                notification=number,
                since=since,
                expect=options["expect"] or "",
                archive=options["archive"],
            )
        except (DatabaseError, OSError, ValueError) as error:
            raise refusal(error) from None
        self._record(verification, options, time.monotonic() - began)
        self._write_result(verification)

    def _record(
        self, verification: Verification, options: dict[str, Any], seconds: float
    ) -> None:
        since = options["since"]
        audit_log.write(
            VERIFIED,
            "verify_history",
            unchanged=verification.unchanged,
            head=verification.head,
            notifications=verification.notifications,
            rows=verification.rows,
            differences=verification.differences[:10],
            only=options["notification"],
            since=since and since.isoformat(),
            seconds=round(seconds, 1),
        )

    def _write_result(self, verification: Verification) -> None:
        self.stdout.write(
            f"seals: {verification.seals}; notifications read: {verification.notifications}, with "
            f"{verification.rows} rows; head: {verification.head or 'none'}"
        )
        if verification.archived:
            self.stdout.write(
                f"archived, not read without --archive DIR: {verification.archived}"
            )
        if verification.unsealed:
            self.stdout.write(f"ended, not sealed yet: {verification.unsealed}")
        self._write_trail(verification)
        if not verification.unchanged:
            sentences = "\n".join(verification.differences)
            raise CommandError(f"Changed.\n{sentences}", returncode=FAILED)
        self.stdout.write("Unchanged.")

    def _write_trail(self, verification: Verification) -> None:
        if verification.unused_ids:
            ranges = [
                str(first) if first == last else f"{first} to {last}"
                for first, last in verification.unused_ids
            ]
            more = ", …" if len(ranges) > MAX_RANGES else ""
            self.stdout.write(
                "numbers without an audit entry since before they were sealed: "
                f"{', '.join(ranges[:MAX_RANGES])}{more}. A rolled back transaction "
                "leaves such a number; so does a removal before the seal."
            )
        if verification.unsealed_entries or verification.unused_unsealed:
            self.stdout.write(
                f"audit entries not sealed yet: {verification.unsealed_entries}; numbers "
                f"without an entry after the last seal: {verification.unused_unsealed}"
            )


def _head(text: str) -> str:
    head = text.strip().lower()
    if not re.fullmatch("[0-9a-f]{12,64}", head):
        raise argparse.ArgumentTypeError(
            f"“{text}” is not a head: 12 to 64 digits of 0-9 and a-f."
        )
    return head
