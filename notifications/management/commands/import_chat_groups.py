"""``manage.py import_chat_groups FILE.csv``: import chat groups from a CSV file."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from notifications.groups.importing.apply import LinesRejected, import_groups
from notifications.groups.importing.parse import open_file
from notifications.groups.importing.plan import Plan
from notifications.management.base import FAILED, RecordedCommand, refusal


class Command(RecordedCommand):
    help = (
        "Add and update chat groups from a CSV file with the columns group_id, type and "
        "name and the optional columns member_count and labels. If a line is invalid, "
        "nothing is imported, unless --skip-invalid is set. Exit code 1: at least one "
        "line was rejected; 2: the file cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--skip-invalid",
            action="store_true",
            help="import the valid lines and skip the others",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("rb") as opened:
                result = self._import(opened, path.name, options["skip_invalid"])
        except (OSError, ValidationError) as error:
            raise refusal(error) from None
        self.stdout.write(" ".join(f"{name}={n}" for name, n in result.counts.items()))
        if result.rejected:
            raise CommandError(
                "Some lines were rejected; see above.", returncode=FAILED
            )

    def _import(self, opened: BinaryIO, name: str, skip_invalid: bool) -> Plan:
        with ExitStack() as stack:
            if not opened.seekable():  # a pipe
                copy = stack.enter_context(TemporaryFile())
                shutil.copyfileobj(opened, copy)
                opened = copy
            file = open_file(opened)
            if file.ignored:
                self.stderr.write(f"Ignored columns: {', '.join(file.ignored)}")
            try:
                return import_groups(
                    file,
                    actor="import_chat_groups",
                    leave_out=skip_invalid,
                    report=lambda problem: self.stderr.write(str(problem)),
                    file=name,
                )
            except LinesRejected as error:
                result = Plan()
                result.rejected = error.rejected
                return result
