"""Waiting for the outcome of what a command has sent."""

import time
from typing import Any

from django.core.management.base import CommandError

from notifications.models import Delivery, Notification

from .base import FAILED

POLL_SECONDS = 0.2
S = Delivery.Status


def wait_for_end(notification: Notification, stdout: Any) -> None:
    """Until it is finished, stopped or paused; writes the numbers of each outcome.

    Raises ``CommandError`` unless all were accepted.
    """
    while True:
        notification.refresh_from_db()
        counts = notification.deliveries.counts()
        is_over = notification.has_ended and not counts[S.SENDING]
        is_paused = notification.status == Notification.Status.PAUSED
        if is_over or is_paused:
            break
        time.sleep(POLL_SECONDS)
    shown = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED]
    stdout.write(" ".join(f"{s.value}={counts[s]}" for s in shown))
    if is_paused:
        raise CommandError(
            f"Notification {notification.pk} is paused: {notification.paused_reason}.",
            returncode=FAILED,
        )
    if counts[S.ACCEPTED] != sum(counts.values()):
        raise CommandError("Not all were accepted.", returncode=FAILED)
