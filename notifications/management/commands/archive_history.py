"""``manage.py archive_history``: move old deliveries from the database to files."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from notifications.history import archiving
from notifications.history.archiving import Archived
from notifications.management.base import REFUSED, RecordedCommand, date_option, os_user
from notifications.record.archive import NotArchivable
from notifications.record.guards import privileges


class Command(RecordedCommand):
    help = (
        "Archive the sealed notifications that ended before a date. For each one, write "
        "its deliveries and attempts to a compressed file, compare the file with the "
        "seal, and only then delete these rows from the database. The notification, its "
        "counts and its seal stay. An interrupted run can be repeated. Exit code 2: "
        "stopped by an error; notifications not listed by then are unchanged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before",
            type=date_option,
            required=True,
            metavar="DATE",
            help="a date like 2026-03-02",
        )
        parser.add_argument(
            "--to",
            type=Path,
            required=True,
            metavar="DIR",
            help="an existing folder; back it up: it holds the only copy of the rows",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="list the work without doing it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        before, is_dry_run = options["before"], options["dry_run"]
        if not is_dry_run and not privileges.is_owner():
            raise CommandError(
                privileges.NEEDS_OWNER % {"command": "archive_history"},
                returncode=REFUSED,
            )
        count = rows = 0
        try:
            for archived in self._run(before, options["to"], is_dry_run=is_dry_run):
                count, rows = count + 1, rows + archived.rows
                self.stdout.write(
                    f"notification {archived.notification}: {archived.rows} rows "
                    f"{'would go' if is_dry_run else 'went'} into {archived.file_name}"
                )
        except (DatabaseError, OSError, NotArchivable) as error:
            self._write_total(count, rows, is_dry_run=is_dry_run)
            raise CommandError(
                f"{error}\nIt stopped there; what is not listed above is unchanged.",
                returncode=REFUSED,
            ) from None
        self._write_total(count, rows, is_dry_run=is_dry_run)
        if unsealed := archiving.unsealed(before):
            self.stdout.write(f"left here, because they are not sealed yet: {unsealed}")

    def _run(
        self, before: datetime, folder: Path, *, is_dry_run: bool
    ) -> Iterator[Archived]:
        if is_dry_run:
            return archiving.planned(before)
        return archiving.archive_history(before, folder, actor=f"command ({os_user()})")

    def _write_total(self, count: int, rows: int, *, is_dry_run: bool) -> None:
        word = "to archive" if is_dry_run else "archived"
        self.stdout.write(f"{word}: notifications: {count}, rows: {rows}")
