"""``manage.py import_chat_groups FILE.csv``"""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from notifications.management.base import FAILED, RecordedCommand, refusal
from notifications.services.chat_groups import ImportPlan, apply_import, plan_import


class Command(RecordedCommand):
    help = (
        "Add and update chat groups from a CSV file with the columns group_id, type, "
        "name and, if you like, member_count. All lines or none, unless "
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
        try:
            plan = plan_import(options["file"].read_bytes())
        except (OSError, ValidationError) as error:
            raise refusal(error) from None
        for line, reason in plan.rejected:
            self.stderr.write(f"line {line}: {reason}")
        if plan.rejected and not options["skip_invalid"]:
            plan = ImportPlan(rejected=plan.rejected)
        else:
            apply_import(plan, actor="import_chat_groups")
        self.stdout.write(
            f"added={len(plan.new)} updated={len(plan.changed)} "
            f"unchanged={len(plan.unchanged)} rejected={len(plan.rejected)}"
        )
        if plan.rejected:
            raise CommandError(
                "Some lines were rejected; see above.", returncode=FAILED
            )
