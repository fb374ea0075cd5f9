"""``manage.py link_outside_login``: link an existing user to single sign-on."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from notifications.access.services import sso_accounts
from notifications.management.base import RecordedCommand, os_user, refusal


class Command(RecordedCommand):
    help = (
        "Switch an existing user from a password to single sign-on. This deletes the "
        "password and ends the user's sessions. With --remove, unlink the user, who then "
        "needs a new password from a people administrator."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER")
        group = parser.add_mutually_exclusive_group(required=True)
        parser.add_argument(
            "--provider",
            metavar="P",
            default="",
            help="a name in OIDC_PROVIDERS; may be omitted where it has only one",
        )
        group.add_argument(
            "--subject",
            metavar="S",
            help="the user's identifier at the provider: the claim “sub” of ID tokens",
        )
        group.add_argument("--remove", action="store_true", help="unlink the user")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        actor = f"command ({os_user()})"
        try:
            if options["remove"]:
                sso_accounts.unlink_identity(actor, username)
                self.stdout.write(f"{username} no longer logs in by single sign-on.")
            else:
                sso_accounts.link_identity(
                    actor, username, options["provider"], options["subject"]
                )
                self.stdout.write(f"{username} now logs in by single sign-on only.")
        except ValidationError as error:
            raise refusal(error) from None
