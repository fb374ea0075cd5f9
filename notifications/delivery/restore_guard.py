"""Detecting that the database is older than what was sent, and the quarantine after a restore.

After a restore from a backup, rows are queued again that were called since the backup
was made. So the worker keeps beside the database, in a file of ``STATE_DIR``, how many
calls it has seen claimed. A database that knows of fewer is an older one, and nothing
is claimed until ``manage.py quarantine_restored`` has been run.

What was queued when the backup was made may have been called since, and nothing in the
database can tell. So every open delivery becomes unconfirmed, for a person to decide.
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
    """The database has claimed fewer calls than this machine remembers."""

    def __init__(self, known: int, found: int) -> None:
        super().__init__(
            f"The database knows of {found} calls, but {known} were made: it was "
            "restored from a backup. Nothing is sent, since groups could be called "
            "twice. Run: python manage.py quarantine_restored"
        )


class RestoreMark:
    """``key`` names the database (``Installation.key``): a fresh one is never refused."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / "claims.json"
        self._key = key
        self._written = self.known = self._read().get(key, 0)

    def check(self, claimed: int) -> None:
        """``claimed`` as the database has it. Raises ``DatabaseIsOlder``."""
        if claimed < self.known:
            raise DatabaseIsOlder(self.known, claimed)

    def committed(self, claimed: int) -> None:
        """Remember what a commit has made sure of."""
        self.known = max(self.known, claimed)

    def write(self) -> None:
        """Put it on the disk, whole or not at all. Several workers share the file.

        A disk that takes nothing is no reason to stop sending: the next second tries
        again, and meanwhile the worker itself remembers.
        """
        if self.known == self._written:
            return
        marks = self._read()
        marks[self._key] = max(self.known, marks.get(self._key, 0))
        try:
            with durable_file(self._path, suffix=f".{os.getpid()}") as partial:
                partial.write_text(json.dumps(marks))
        except OSError as error:
            logger.warning("%s cannot be written: %s", self._path, error.strerror)
            return
        self._written = self.known

    def _read(self) -> dict[str, int]:
        """What was written last; nothing when there is no file that can be read."""
        if not self._path.exists():
            return {}
        try:
            marks: dict[str, int] = json.loads(self._path.read_text())
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be read and is begun anew: %s", self._path, error)
            return {}
        return marks


@transaction.atomic
def quarantine_restored(actor: str) -> tuple[int, int]:
    """Pause what is open, mark its open deliveries unconfirmed, let workers start again.

    ``actor`` is who ran the command. Returns how many notifications and deliveries.
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
    # Under another name, what workers remember of the newer database no longer counts.
    installation.key = uuid.uuid4()
    installation.save()
    return len(notifications), total
