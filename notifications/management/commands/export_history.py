"""``manage.py export_history``: export the history as JSON Lines or CSV."""

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from notifications.history.export import download
from notifications.history.forms import DeliveryFilterForm
from notifications.management.base import REFUSED, RecordedCommand, write_output
from notifications.models import Channel, GroupType, Notification
from notifications.record.queries import head

ACTOR = "export_history"

# Option → help; the values are those of the query string of the history page.
FILTERS = {
    "from": "first day, like 2026-03-31",
    "to": "last day, like 2026-03-31",
    "status": "queued, sending, accepted, failed, unconfirmed or cancelled",
    "type": f"type of the chat group: {', '.join(GroupType.values)}",
    "sender": "username of the sender",
    "code": "Tencent's ErrorCode, like 10010",
    "reason": "why Tencent's result is unknown, like no_answer",
    "channel": " or ".join(Channel.values),
    "group": "ID or part of the name of a chat group",
}


class Command(RecordedCommand):
    help = (
        "Write one line per delivery: notification, chat group, result and every "
        "attempt. The filters are those of the history page. CSV puts a ' before each "
        "text that begins with = + - @ or ', so that no spreadsheet runs it as a "
        "formula: '@TGS#1 is the group ID @TGS#1. JSON Lines contain every text "
        "verbatim. Standard error shows the head of the chain of seals."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["jsonl", "csv"], required=True)
        parser.add_argument(
            "--notification", type=int, metavar="N", help="number of a notification"
        )
        for name, text in FILTERS.items():
            parser.add_argument(f"--{name}", default="", metavar="VALUE", help=text)
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="default: standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        form = self._form(options)
        file = download(
            ACTOR,
            form.filters,
            form.facets.unsealed,
            file_format=options["format"],
            parameters=form.active,
        )
        self.stderr.write(f"Head of the seals: {head() or 'none'}")
        with closing(file):
            write_output(file, options["output"], self.stdout)

    def _form(self, options: dict[str, Any]) -> DeliveryFilterForm:
        """The form of the page, validated. Raises ``CommandError`` naming the option."""
        number = options["notification"]
        if (
            number is not None
            and not Notification.objects.sent().filter(pk=number).exists()
        ):
            raise CommandError(
                f"There is no notification {number}.", returncode=REFUSED
            )
        data = {name: options[name] for name in FILTERS}
        data["q"] = data.pop("group")
        form = DeliveryFilterForm(data | {"notification": number or ""})
        problems = [
            f"--{'group' if field == 'q' else form.add_prefix(field)}: {sentence}"
            for field, sentences in form.errors.items()
            for sentence in sentences
        ]
        if problems:
            raise CommandError(" ".join(problems), returncode=REFUSED)
        return form
