"""``manage.py quarantine_restored``: to be run once after restoring an older backup."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand

from notifications.services.quarantine import quarantine_restored


class Command(BaseCommand):
    help = (
        "Run this once after restoring the database from a backup, with no worker "
        "running: every notification that was open is paused, and its open deliveries "
        "become unconfirmed, since they may have been called after the backup."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        notifications, deliveries = quarantine_restored(f"command ({_account()})")
        self.stdout.write(f"paused={notifications} unconfirmed={deliveries}")


def _account() -> str:
    """Who runs the command, as far as the machine can tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
