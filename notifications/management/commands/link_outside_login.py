"""``manage.py link_outside_login``: let somebody who is here come by single sign-on."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from notifications.access.services import sso_accounts
from notifications.management.base import RecordedCommand, account, refusal


class Command(RecordedCommand):
    help = (
        "Let a person log in by single sign-on instead of with a password: their "
        "sessions end and their password is gone. With --remove, undo it; a people "
        "administrator then sets a password."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--subject",
            metavar="S",
            help="who this is to the provider: the claim “sub” of its ID tokens",
        )
        what.add_argument("--remove", action="store_true", help="undo the link")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        actor = f"command ({account()})"
        try:
            if options["remove"]:
                sso_accounts.unlink_identity(actor, username)
                self.stdout.write(f"{username} no longer logs in by single sign-on.")
            else:
                sso_accounts.link_identity(actor, username, options["subject"])
                self.stdout.write(f"{username} now logs in by single sign-on only.")
        except ValidationError as error:
            raise refusal(error) from None
