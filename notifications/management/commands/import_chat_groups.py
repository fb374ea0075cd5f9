"""``manage.py import_chat_groups FILE.csv``"""

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
        "Add and update chat groups from a CSV file with the columns group_id, type, "
        "name and, if you like, member_count and labels. All lines or none, unless "
        "--skip-invalid is given. Exit code 1 when a line was rejected."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--skip-invalid",
            action="store_true",
            help="leave out the lines with errors",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            reading = parse_rows(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise refusal(error) from None
        if reading.ignored:
            self.stderr.write(f"Not read: {', '.join(reading.ignored)}")
        made = plan(reading)
        for problem in made.problems:
            self.stderr.write(str(problem))
        if made.problems and not options["skip_invalid"]:
            made = Plan(problems=made.problems)
        else:
            made = import_groups(reading, actor="import_chat_groups", file=file.name)
        self.stdout.write(" ".join(f"{name}={n}" for name, n in made.counts.items()))
        if made.problems:
            raise CommandError(
                "Some lines were rejected; see above.", returncode=FAILED
            )
