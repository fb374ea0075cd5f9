"""``manage.py verify_history``: whether the record is what was sealed."""

import argparse
import re
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from notifications import audit_log
from notifications.management.base import FAILED, REFUSED, day, refusal
from notifications.models import Notification
from notifications.record.audit_events import VERIFIED
from notifications.record.verification import Verification, verify


class Command(BaseCommand):
    help = (
        "Compare the history and the audit trail with their seals. Exit code 0: "
        "unchanged; 1: changed, the first row that differs is named for each seal; 2: "
        "it could not be told. What is not sealed yet is counted, not vouched for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--notification", type=int, metavar="N", help="read the rows of this one"
        )
        parser.add_argument(
            "--since",
            type=day,
            metavar="DATE",
            help="read what was sealed from then on",
        )
        parser.add_argument(
            "--expect",
            type=_head,
            metavar="HEAD",
            help="a head that was kept outside, or its first 12 digits or more",
        )
        parser.add_argument(
            "--archive", type=Path, metavar="DIR", help="read the archived files too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        number, since = options["notification"], options["since"]
        if number and not Notification.objects.filter(pk=number, seal__isnull=False):
            raise CommandError(
                f"There is no sealed notification {number}.", returncode=REFUSED
            )
        began = time.monotonic()
        try:
            found = verify(
                notification=number,
                since=since,
                expect=options["expect"] or "",
                archive=options["archive"],
            )
        except (DatabaseError, OSError, ValueError) as error:
            raise refusal(error) from None
        self._write_entry(found, options, time.monotonic() - began)
        self._tell(found)

    def _write_entry(
        self, found: Verification, options: dict[str, Any], seconds: float
    ) -> None:
        since = options["since"]
        audit_log.write(
            VERIFIED,
            "verify_history",
            unchanged=found.unchanged,
            head=found.head,
            notifications=found.notifications,
            rows=found.rows,
            differences=found.differences[:10],
            only=options["notification"],
            since=since and since.isoformat(),
            seconds=round(seconds, 1),
        )

    def _tell(self, found: Verification) -> None:
        self.stdout.write(
            f"seals: {found.seals}; notifications read: {found.notifications}, with "
            f"{found.rows} rows; head: {found.head or 'none'}"
        )
        if found.archived:
            self.stdout.write(
                f"archived, not read without --archive DIR: {found.archived}"
            )
        if found.unsealed:
            self.stdout.write(f"ended, not sealed yet: {found.unsealed}")
        if not found.unchanged:
            sentences = "\n".join(found.differences)
            raise CommandError(f"Changed.\n{sentences}", returncode=FAILED)
        self.stdout.write("Unchanged.")


def _head(text: str) -> str:
    head = text.strip().lower()
    if not re.fullmatch("[0-9a-f]{12,64}", head):
        raise argparse.ArgumentTypeError(
            f"“{text}” is no head: 12 to 64 digits of 0-9 and a-f."
        )
    return head
