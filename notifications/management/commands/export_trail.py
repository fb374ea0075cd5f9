"""``manage.py export_trail``: export the audit trail as JSON Lines or CSV."""

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from notifications.audit.export import download_trail
from notifications.audit.forms import TrailFilterForm
from notifications.audit_log import EVENTS
from notifications.management.base import (
    REFUSED,
    RecordedCommand,
    os_user,
    write_output,
)


class Command(RecordedCommand):
    help = (
        "Write one line per action: who did what, when and from where. The audit trail "
        "records the export itself. CSV puts a ' before each text that begins with = + "
        "- @ or ', so that no spreadsheet runs it as a formula."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["jsonl", "csv"], required=True)
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="default: standard output"
        )
        parser.add_argument(
            "--from", dest="from_day", metavar="YYYY-MM-DD", help="first day"
        )
        parser.add_argument(
            "--to", dest="to_day", metavar="YYYY-MM-DD", help="last day"
        )
        parser.add_argument(
            "--who", metavar="NAME", help="user or command that acted, as on the page"
        )
        parser.add_argument(
            "--action", choices=list(EVENTS), metavar="ACTION", help=", ".join(EVENTS)
        )
        parser.add_argument(
            "--notification", metavar="N", help="number of a notification"
        )
        parser.add_argument(
            "--origin", metavar="TEXT", help="a complete IP address or request number"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        form = TrailFilterForm(
            {
                "from": options["from_day"],
                "to": options["to_day"],
                "who": options["who"],
                "action": options["action"],
                "notification": options["notification"],
                "q": options["origin"],
            }
        )
        if form.errors:
            sentences = [text for texts in form.errors.values() for text in texts]
            raise CommandError(" ".join(map(str, sentences)), returncode=REFUSED)
        file = download_trail(
            f"export_trail ({os_user()})",
            form.entries(),
            file_format=options["format"],
            filters=form.active,
        )
        with closing(file):
            write_output(file, options["output"], self.stdout)
