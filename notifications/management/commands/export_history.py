"""``manage.py export_history``: the history as JSON Lines or CSV."""

from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from notifications.history.export import download
from notifications.history.forms import DeliveryFilterForm
from notifications.management.base import REFUSED, RecordedCommand, write_output
from notifications.models import GroupType, Notification
from notifications.record.queries import head

ACTOR = "export_history"

# Option → what it says in --help; the values are those of the list's address.
FILTERS = {
    "from": "first day, 2026-03-31",
    "to": "last day",
    "status": "queued, sending, accepted, failed, unconfirmed or cancelled",
    "type": f"Tencent's word for it, one of {', '.join(GroupType.values)}",
    "sender": "username",
    "code": "Tencent's error code",
    "reason": "why there is no verdict, for example no_answer",
    "group": "ID or part of the name of a chat group",
}


class Command(RecordedCommand):
    help = (
        "Write a line per delivery: what was sent to which chat group, its result and "
        "every attempt. The filters are those of the page. In CSV, a text that begins "
        "with = + - @ or ' gets a ' before it; without that it is the text as it was, "
        "so '@TGS#1 is the group ID @TGS#1. JSON Lines hold every text verbatim. The "
        "head of the seals goes to standard error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["jsonl", "csv"], required=True)
        parser.add_argument("--notification", type=int, metavar="ID")
        for name, text in FILTERS.items():
            parser.add_argument(f"--{name}", default="", metavar="VALUE", help=text)
        parser.add_argument("--output", type=Path, help="a file; else standard output")

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
        """The filters, checked as the page checks them; a refusal names the option."""
        number = options["notification"]
        if (
            number is not None
            and not Notification.objects.sent().filter(pk=number).exists()
        ):
            raise CommandError(
                f"There is no notification {number}.", returncode=REFUSED
            )
        given = {name: options[name] for name in FILTERS}
        given["q"] = given.pop("group")
        form = DeliveryFilterForm(given | {"notification": number or ""})
        wrong = [
            f"--{'group' if field == 'q' else form.add_prefix(field)}: {sentence}"
            for field, sentences in form.errors.items()
            for sentence in sentences
        ]
        if wrong:
            raise CommandError(" ".join(wrong), returncode=REFUSED)
        return form
