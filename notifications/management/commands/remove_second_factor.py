"""``manage.py remove_second_factor USER``: for who lost it when nobody else can help."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from notifications.access.services.second_factor import remove_second_factor
from notifications.management.base import RecordedCommand, account, refusal


class Command(RecordedCommand):
    help = (
        "Remove the second factor of USER and end all of USER's sessions. Make sure "
        "first that it is really this person who asks. Where SECOND_FACTOR demands one, "
        "the next login leads to setting it up."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise refusal(ValueError(f"There is no person “{username}”."))
        try:
            remove_second_factor(person, f"command ({account()})")
        except ValidationError as error:
            raise refusal(error) from None
        self.stdout.write(f"removed={username}")
