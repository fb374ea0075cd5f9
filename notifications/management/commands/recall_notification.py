"""``manage.py recall_notification``: take a notification back from a script."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from notifications.amendments.messages import Part
from notifications.amendments.services import Order, Started, recall
from notifications.management.amending import EXIT_CODES, AmendingCommand


class Command(AmendingCommand):
    help = (
        "Take the messages of a notification back from its groups, as a user, with that "
        "user's permissions. A notification that is still being sent is stopped first. "
        + EXIT_CODES
    )
    done = "recalled"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--reason",
            required=True,
            metavar="TEXT",
            help="why, at most 100 bytes; members may see it",
        )
        parser.add_argument(
            "--oldest-first",
            action="store_true",
            help="in the order in which it was sent; default: the newest first",
        )

    def start(
        self, user: User, notification_id: int, part: Part, options: Mapping[str, Any]
    ) -> Started:
        order = Order(newest_first=not options["oldest_first"])
        return recall(
            user, notification_id, reason=options["reason"], part=part, order=order
        )
