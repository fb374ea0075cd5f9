"""``manage.py remove_second_factor USER``: remove a lost second factor."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from notifications.access.factors import remove_factors
from notifications.management.base import RecordedCommand, os_user, refusal


class Command(RecordedCommand):
    help = (
        "Remove the second factor of USER and end all of USER's sessions. First verify "
        "that this person really made the request. If the setting SECOND_FACTOR requires "
        "a second factor, USER has to set one up at the next login."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise refusal(ValueError(f"There is no user “{username}”."))
        try:
            remove_factors(user, f"command ({os_user()})")
        except ValidationError as error:
            raise refusal(error) from None
        self.stdout.write(f"removed={username}")
