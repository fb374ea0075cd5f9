"""``manage.py import_chat_groups FILE.csv``: import chat groups from a CSV file."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from notifications.groups.importing.apply import import_groups
from notifications.groups.importing.plan import Plan, plan
from notifications.groups.importing.rows import parse_rows
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
        file: Path = options["file"]
        try:
            rows = parse_rows(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise refusal(error) from None
        if rows.ignored:
            self.stderr.write(f"Ignored columns: {', '.join(rows.ignored)}")
        result = plan(rows)
        for problem in result.problems:
            self.stderr.write(str(problem))
        if result.problems and not options["skip_invalid"]:
            result = Plan(problems=result.problems)
        else:
            result = import_groups(rows, actor="import_chat_groups", file=file.name)
        self.stdout.write(" ".join(f"{name}={n}" for name, n in result.counts.items()))
        if result.problems:
            raise CommandError(
                "Some lines were rejected; see above.", returncode=FAILED
            )
