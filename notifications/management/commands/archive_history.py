"""``manage.py archive_history``: old deliveries into files, out of the database."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from notifications.history import archiving
from notifications.history.archiving import Archived
from notifications.management.base import REFUSED, RecordedCommand, account, day
from notifications.record.archive import NotArchivable


class Command(RecordedCommand):
    help = (
        "Write the deliveries and attempts of sealed notifications that ended before a "
        "day into a compressed file each, read it back, compare it with the seal, and "
        "only then remove them from the database. The notification, its counts and its "
        "seal stay. A run that was cut off can be repeated. Exit code 2 when it had to "
        "stop; what was not archived by then is unchanged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before",
            type=day,
            required=True,
            metavar="DATE",
            help="a day like 2026-03-02",
        )
        parser.add_argument(
            "--to",
            type=Path,
            required=True,
            metavar="DIR",
            help="an existing folder; back it up, since the rows are then only there",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what it would do, do nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        before, is_trial = options["before"], options["dry_run"]
        count = rows = 0
        try:
            for done in self._run(before, options["to"], is_trial=is_trial):
                count, rows = count + 1, rows + done.rows
                self.stdout.write(
                    f"notification {done.notification}: {done.rows} rows "
                    f"{'would go' if is_trial else 'went'} into {done.file_name}"
                )
        except (DatabaseError, OSError, NotArchivable) as error:
            self._tell(count, rows, is_trial=is_trial)
            raise CommandError(
                f"{error}\nIt stopped there; what is not listed above is unchanged.",
                returncode=REFUSED,
            ) from None
        self._tell(count, rows, is_trial=is_trial)
        if left := archiving.unsealed(before):
            self.stdout.write(f"left here, because they are not sealed yet: {left}")

    def _run(
        self, before: datetime, folder: Path, *, is_trial: bool
    ) -> Iterator[Archived]:
        if is_trial:
            return archiving.planned(before)
        return archiving.archive_history(before, folder, actor=f"command ({account()})")

    def _tell(self, count: int, rows: int, *, is_trial: bool) -> None:
        word = "to archive" if is_trial else "archived"
        self.stdout.write(f"{word}: notifications: {count}, rows: {rows}")
