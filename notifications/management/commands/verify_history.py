"""``manage.py verify_history``: verify the record against its seals."""

import argparse
import re
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from notifications import audit_log
from notifications.access.services.people_check import people_differences
from notifications.db.snapshot import snapshot
from notifications.management.base import FAILED, REFUSED, date_option, refusal
from notifications.models import Notification
from notifications.record.audit_events import VERIFIED
from notifications.record.differences import Verification
from notifications.record.verification import verify

MAX_RANGES = 20
HEAD = "[0-9a-f]{12,64}"


class Command(BaseCommand):
    help = (
        "Compare the history and the audit trail with their seals. Notifications that "
        "are not sealed yet are counted, but not verified. Exit code 0: unchanged; 1: "
        "changed; the output names the first row that differs for each seal; 2: it "
        "cannot tell, because files of archived notifications were not read or the "
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
        expect = parser.add_mutually_exclusive_group()
        expect.add_argument(
            "--expect",
            type=_head,
            metavar="HEAD",
            help="a head of the chain of seals that you stored elsewhere, or at least "
            "its first 12 digits: fail if no seal has it",
        )
        expect.add_argument(
            "--expect-file",
            type=Path,
            metavar="FILE",
            help="the same with the head that begins the last line of this file; an "
            "empty file, which exists before the first head, expects none",
        )
        parser.add_argument(
            "--keep-head",
            type=Path,
            metavar="FILE",
            help="append the newest head and the time to this file if the record is "
            "unchanged",
        )
        archives = parser.add_mutually_exclusive_group()
        archives.add_argument(
            "--archive",
            type=Path,
            metavar="DIR",
            help="verify the files of archive_history in this folder, too",
        )
        archives.add_argument(
            "--without-archives",
            action="store_true",
            help="do not verify these files: unchanged refers to the rest",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        number, since = options["notification"], options["since"]
        sealed = Notification.objects.filter(pk=number, seal__isnull=False)
        if number and not sealed.exists():
            raise CommandError(
                f"There is no sealed notification {number}.", returncode=REFUSED
            )
        began = time.monotonic()
        try:
            with snapshot():
                verification = verify(
                    notification=number,
                    since=since,
                    expect=self._expected_head(options),
                    archive=options["archive"],
                )
                if number is None and since is None:
                    verification.differences += people_differences()
            self._record(verification, options, time.monotonic() - began)
            self._write_result(verification, options)
            if options["keep_head"] and verification.head:
                with options["keep_head"].open("a") as file:
                    file.write(f"{verification.head} {timezone.now().isoformat()}\n")
        except (DatabaseError, OSError, ValueError) as error:
            raise refusal(error) from None

    def _expected_head(self, options: dict[str, Any]) -> str:
        """The head that a seal must have, or its first digits; empty for none.

        Raises ``OSError`` and ``ValueError`` for a file without it.
        """
        path: Path | None = options["expect_file"]
        if path is None:
            return options["expect"] or ""
        lines = path.read_text().splitlines()
        if not lines:
            self.stdout.write(f"{path} is empty: no head is expected.")
            return ""
        words = lines[-1].split()
        if not words or not re.fullmatch(HEAD, words[0]):
            raise ValueError(f"The last line of {path} does not begin with a head.")
        return words[0]

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
            seals=verification.seals,
            archived=verification.archived,
            without_archives=options["without_archives"],
            only=options["notification"],
            since=since and since.isoformat(),
            seconds=round(seconds, 1),
        )

    def _write_result(
        self, verification: Verification, options: dict[str, Any]
    ) -> None:
        self.stdout.write(
            f"seals: {verification.seals}; notifications read: {verification.notifications}, with "
            f"{verification.rows} rows; head: {verification.head or 'none'}"
        )
        if verification.archived:
            self.stdout.write(
                f"archived notifications, whose files were not read: {verification.archived}"
            )
        if verification.unsealed:
            self.stdout.write(f"ended, not sealed yet: {verification.unsealed}")
        self._write_trail(verification)
        if not verification.unchanged:
            sentences = "\n".join(verification.differences)
            raise CommandError(f"Changed.\n{sentences}", returncode=FAILED)
        if verification.archived and not options["without_archives"]:
            raise CommandError(_cannot_tell(verification), returncode=REFUSED)
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


def _cannot_tell(verification: Verification) -> str:
    if verification.unreadable:
        return "\n".join(
            [
                "Cannot tell: these archive files could not be read.",
                *verification.unreadable,
            ]
        )
    return (
        "Cannot tell: the files of archived notifications were not read. The rest is "
        "unchanged. Pass --archive DIR with the folder of archive_history, or "
        "--without-archives to verify the rest only."
    )


def _head(text: str) -> str:
    head = text.strip().lower()
    if not re.fullmatch(HEAD, head):
        raise argparse.ArgumentTypeError(
            f"“{text}” is not a head: 12 to 64 digits of 0-9 and a-f."
        )
    return head
