"""``manage.py correct_notification``: correct the text of a notification from a script."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from notifications.amendments.messages import Part
from notifications.amendments.services import Started, correct
from notifications.management.amending import EXIT_CODES, AmendingCommand


class Command(AmendingCommand):
    help = (
        "Replace the text of a notification in its groups, as a user, with that user's "
        "permissions. Live rooms are left out. " + EXIT_CODES
    )
    done = "corrected"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--content", required=True, metavar="TEXT", help="the new text"
        )
        parser.add_argument("--note", default="", help="internal note")

    def start(
        self, user: User, notification_id: int, part: Part, options: Mapping[str, Any]
    ) -> Started:
        run = correct(
            user,
            notification_id,
            content=options["content"],
            note=options["note"],
            part=part,
        )
        return Started(run)
