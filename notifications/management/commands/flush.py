"""``manage.py flush``: refused, since it would remove the history; tests still use it."""

from typing import Any

from django.core import mail
from django.core.management.base import CommandError
from django.core.management.commands import flush

from notifications.management.base import FAILED
from notifications.record.guards import install as guards_install


class Command(flush.Command):
    help = (
        "Refused: it would remove the history. To begin anew, name an empty database in "
        "DATABASE_URL and run migrate."
    )

    def handle(self, **options: Any) -> None:
        # The one place that asks: Django's runner of tests keeps sent mails there, and
        # empties the database between tests that commit.
        if not hasattr(mail, "outbox"):
            raise CommandError(
                "Nothing was removed: the history is kept, and flush would empty it. To "
                "begin anew, name an empty database in DATABASE_URL and run migrate.",
                returncode=FAILED,
            )
        with guards_install.guards_disabled(options["database"]):
            super().handle(**options)
