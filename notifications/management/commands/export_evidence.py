"""``manage.py export_evidence``: export the evidence bundle of one notification."""

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.history.evidence.bundle import ArchivedMeanwhile
from notifications.history.evidence.services import evidence
from notifications.management.base import REFUSED, refusal, write_output
from notifications.models import Notification


class Command(BaseCommand):
    help = (
        "Write the evidence of a sealed notification to a ZIP file: the sealed text, "
        "the audit entries, its seal and all later seals, a readable page, and "
        "instructions for verifying it. Prints the name of the file in the console."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--notification",
            type=int,
            required=True,
            metavar="N",
            help="number of the notification",
        )
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="FILE",
            help="ZIP file to write",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        number, path = options["notification"], options["output"]
        try:
            file = evidence("export_evidence", number)
        except Notification.DoesNotExist:
            raise CommandError(
                f"There is no notification {number}.", returncode=REFUSED
            ) from None
        except ValidationError as error:
            raise refusal(error) from None
        try:
            with closing(file):
                write_output(file, path, self.stdout)
        except ArchivedMeanwhile as error:
            raise refusal(error) from None
        self.stdout.write(file.name)
