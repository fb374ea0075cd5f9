"""``manage.py encrypt_factors``: encrypt the keys of apps with the present SECRET_KEY."""

from typing import Any

from notifications.access.factors import encrypt_again
from notifications.management.base import RecordedCommand, refusal


class Command(RecordedCommand):
    help = (
        "Encrypt the keys of all authenticator apps with the present SECRET_KEY. Run it "
        "after a change of SECRET_KEY, while SECRET_KEY_PREVIOUS has the former one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = encrypt_again()
        except ValueError as error:
            raise refusal(error) from None
        self.stdout.write(f"encrypted={count}")
