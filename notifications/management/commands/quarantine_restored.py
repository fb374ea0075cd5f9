"""``manage.py quarantine_restored``: to be run once after restoring an older backup."""

from typing import Any

from notifications.delivery.restore_guard import quarantine_restored
from notifications.management.base import RecordedCommand, account


class Command(RecordedCommand):
    help = (
        "Run this once after restoring the database from a backup, with no worker "
        "running: every notification that was open is paused, and its open deliveries "
        "become unconfirmed, since they may have been called after the backup."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        notifications, deliveries = quarantine_restored(f"command ({account()})")
        self.stdout.write(f"paused={notifications} unconfirmed={deliveries}")
