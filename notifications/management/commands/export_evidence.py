"""``manage.py export_evidence``: the evidence bundle of one notification."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.history.evidence.services import evidence
from notifications.management.base import REFUSED, refusal, write_output
from notifications.models import Notification


class Command(BaseCommand):
    help = (
        "Write the evidence of a sealed notification as a ZIP file: the sealed text, "
        "the actions, its seal and all later ones, a page to read, and how to check "
        "it. Prints the name that the console would give the file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--notification", type=int, required=True, metavar="N")
        parser.add_argument("--output", type=Path, required=True, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        number, path = options["notification"], options["output"]
        try:
            found = evidence("export_evidence", number)
        except Notification.DoesNotExist:
            raise CommandError(
                f"There is no notification {number}.", returncode=REFUSED
            ) from None
        except ValidationError as error:
            raise refusal(error) from None
        write_output(found.pieces, path, self.stdout)
        self.stdout.write(found.name)
