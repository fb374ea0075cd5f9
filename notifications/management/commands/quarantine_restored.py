"""``manage.py quarantine_restored``: pause open notifications after a restore."""

from typing import Any

from notifications.delivery.restore_guard import quarantine_restored
from notifications.management.base import RecordedCommand, os_user


class Command(RecordedCommand):
    help = (
        "Run this once after restoring the database from a backup, while no worker is "
        "running. It pauses every open notification and marks its open deliveries as "
        "unconfirmed, because they may have been sent after the backup was made."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        notifications, deliveries = quarantine_restored(f"command ({os_user()})")
        self.stdout.write(f"paused={notifications} unconfirmed={deliveries}")
