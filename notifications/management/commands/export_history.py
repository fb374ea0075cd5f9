"""``manage.py export_history``: the history as JSON Lines or CSV."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.forms.filters import DeliveryFilterForm
from notifications.management.base import REFUSED, refusal
from notifications.models import Notification
from notifications.selectors.seals import head
from notifications.services.downloads import Download, export_as

ACTOR = "export_history"
# Option → what it says in --help; the values are those of the list's address.
FILTERS = {
    "from": "first day, 2026-03-31",
    "to": "last day",
    "status": "queued, sending, accepted, failed, unconfirmed or cancelled",
    "type": "Private, Public, ChatRoom, AVChatRoom or BChatRoom",
    "sender": "username",
    "code": "Tencent's error code",
    "reason": "why there is no verdict, for example no_answer",
    "group": "ID or part of the name of a chat group",
}


class Command(BaseCommand):
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
        file = export_as(
            ACTOR,
            form.filters,
            form.occurring.live,
            file_format=options["format"],
            filters=form.active,
        )
        self.stderr.write(f"Head of the seals: {head() or 'none'}")
        path: Path | None = options["output"]
        try:
            if path is None:
                for piece in file:
                    self.stdout.write(piece.decode(), ending="")
            else:
                _write(path, file)
        finally:
            file.close()

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


def _write(path: Path, file: Download) -> None:
    # Under another name until it is whole: no half file is left for a whole one.
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as target:
            target.writelines(file)
        partial.replace(path)
    except OSError as error:
        raise refusal(error) from None
