"""Detect a database restored from a backup, and quarantine its open notifications.

After a restore from a backup, rows are queued that were called after the backup was
made. So the worker stores the numbers of claimed calls outside the database, in a file in
``STATE_DIR``: one for each call that sends. A database with a smaller number is an older
one, and nothing is claimed until ``manage.py quarantine_restored`` has been run.

Deliveries that were queued in the backup may have been called since, and the database
has no record of it. So every open delivery becomes unconfirmed, and a person decides.
"""

import json
import logging
import os
import uuid
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from notifications import audit_log
from notifications.delivery.audit_events import QUARANTINED
from notifications.files import durable_file
from notifications.models import Delivery, Installation, Notification
from notifications.tencent.outcomes import Reason

logger = logging.getLogger(__name__)


class DatabaseIsOlder(Exception):
    """The database has fewer claimed calls than the file in ``STATE_DIR``."""

    def __init__(self, recorded: int, claimed: int) -> None:
        super().__init__(
            f"The database has {claimed} claimed calls, but {recorded} were made: it was "
            "restored from a backup. Nothing is sent, because groups could be called "
            "twice. Run: python manage.py quarantine_restored"
        )


class RestoreGuard:
    """Compares claim counts, one for each row of ``Pace``, by its name.

    ``key`` identifies the database (``Installation.key``).
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / "claims.json"
        self._prefix = f"{key}/"
        self._recorded = {
            name: count
            for name, count in self._read().items()
            if name.startswith(self._prefix)
        }

    def check(self, pace: str, claimed: int) -> None:
        """Raise ``DatabaseIsOlder`` if the database has fewer than the recorded claims."""
        recorded = self.recorded(pace)
        if claimed < recorded:
            raise DatabaseIsOlder(recorded, claimed)

    def committed(self, pace: str, claimed: int) -> None:
        """Record the number of claims after a commit."""
        self._recorded[self._prefix + pace] = max(self.recorded(pace), claimed)

    def recorded(self, pace: str) -> int:
        return self._recorded.get(self._prefix + pace, 0)

    def write(self) -> None:
        """Write the file atomically, unless it has these counts already.

        Several workers share it. A failed write does not stop sending: the worker
        retries it a second later, and the counts stay in memory meanwhile.
        """
        if not self._recorded:
            return
        counts = self._read()
        newer = {
            name: count
            for name, count in self._recorded.items()
            if count > counts.get(name, 0)
        }
        if not newer:
            return
        try:
            with durable_file(self._path, suffix=f".{os.getpid()}") as partial:
                partial.write_text(json.dumps(counts | newer))
        except OSError as error:
            logger.warning("Cannot write %s: %s", self._path, error.strerror)

    def _read(self) -> dict[str, int]:
        """Return the stored counts; empty when the file is missing or unreadable."""
        if not self._path.exists():
            return {}
        try:
            counts: dict[str, int] = json.loads(self._path.read_text())
        except (OSError, ValueError) as error:
            logger.warning("Cannot read %s, starting a new file: %s", self._path, error)
            return {}
        return counts


@transaction.atomic
def quarantine_restored(actor: str) -> tuple[int, int]:
    """Pause open notifications, mark their open deliveries as unconfirmed.

    Afterwards workers can start again. ``actor`` is the user who ran the command.
    Returns the number of notifications and of deliveries.
    """
    now = timezone.now()
    notifications = list(
        Notification.objects.filter(status__in=Notification.OPEN)
        .select_for_update()
        .order_by("pk")
    )
    total = 0
    for notification in notifications:
        if notification.status != Notification.Status.PAUSED:
            notification.pause(Notification.PauseReason.RESTORED)
        count = notification.deliveries.open().update(
            status=Delivery.Status.UNCONFIRMED,
            reason=Reason.RESTORED.value,
            owner=None,
            finished_at=now,
        )
        audit_log.write(
            QUARANTINED,
            actor,
            notification=notification.pk,
            deliveries=count,
        )
        total += count
    installation = Installation.present()
    # With a new key, the counts recorded for the newer database no longer apply.
    installation.key = uuid.uuid4()
    installation.save()
    return len(notifications), total
