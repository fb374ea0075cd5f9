"""``manage.py export_history``: the history as JSON Lines or CSV."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.management.base import REFUSED, refusal
from notifications.models import Delivery, Notification
from notifications.record.export import lines


class Command(BaseCommand):
    help = (
        "Write a line per delivery: what was sent to which chat group, its result and "
        "every attempt. In CSV, cells that look like a formula begin with a '."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["jsonl", "csv"], required=True)
        parser.add_argument("--notification", type=int, metavar="ID")
        parser.add_argument("--output", type=Path, help="a file; else standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Delivery.objects.history()
        number = options["notification"]
        if number is not None:
            if not Notification.objects.sent().filter(pk=number).exists():
                raise CommandError(
                    f"There is no notification {number}.", returncode=REFUSED
                )
            found = found.filter(notification_id=number)
        text = lines(found, options["format"])
        path: Path | None = options["output"]
        if path is None:
            for line in text:
                self.stdout.write(line, ending="")
            return
        # Under another name until it is whole: no half file is left for a whole one.
        partial = path.with_name(path.name + ".partial")
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                file.writelines(text)
            partial.replace(path)
        except OSError as error:
            raise refusal(error) from None
