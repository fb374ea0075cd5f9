"""``manage.py flush``: refused, because it would delete the history, except in tests."""

from typing import Any

from django.core import mail
from django.core.management.base import CommandError
from django.core.management.commands import flush

from notifications.management.base import FAILED
from notifications.record.guards import install as guards_install


class Command(flush.Command):
    help = (
        "Always refused, because it would delete the history. To start over, set "
        "DATABASE_URL to an empty database and run migrate."
    )

    def handle(self, **options: Any) -> None:
        # Django's test runner sets mail.outbox, and flushes the database between tests
        # that commit. No other code checks for tests.
        if not hasattr(mail, "outbox"):
            raise CommandError(
                "Nothing was deleted: flush would delete the history. To start over, set "
                "DATABASE_URL to an empty database and run migrate.",
                returncode=FAILED,
            )
        with guards_install.guards_disabled(options["database"]):
            # Ids begin with 1 again: a number without an audit entry would be a difference.
            super().handle(**options | {"reset_sequences": True})
