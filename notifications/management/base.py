"""Helpers of the commands: errors, options, output, waiting for a notification."""

import argparse
import getpass
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.dateparse import parse_date

from notifications import audit_log
from notifications.models import Delivery, Notification

FAILED = 1

REFUSED = 2


def refusal(error: Exception) -> CommandError:
    """A ``CommandError`` with the messages of an error and exit code 2."""
    if isinstance(error, ValidationError):
        return CommandError(" ".join(error.messages), returncode=REFUSED)
    return CommandError(str(error), returncode=REFUSED)


def os_user() -> str:
    """The operating system's user who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def get_active_user(username: str) -> User:
    """The active user with that name. Raises ``CommandError``."""
    try:
        return User.objects.get(username=username, is_active=True)
    except User.DoesNotExist:
        raise CommandError(
            f"There is no active user “{username}”.", returncode=REFUSED
        ) from None


def date_option(text: str) -> datetime:
    """An argparse type: midnight of a date like 2026-03-02 in the site's time zone."""
    try:
        date = parse_date(text)
    except ValueError:
        date = None
    if date is None:
        raise argparse.ArgumentTypeError(f"“{text}” is not a date like 2026-03-02.")
    return timezone.make_aware(datetime.combine(date, datetime.min.time()))


class RecordedCommand(BaseCommand):
    """A command whose audit entries share one origin, the number of its run."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with audit_log.origin(audit_log.Origin()):
            return super().execute(*args, **options)


def write_output(pieces: Iterable[bytes], path: Path | None, stdout: Any) -> None:
    """Write to a file or to standard output. Raises ``CommandError``.

    The file has a temporary name until it is complete, so that an incomplete file
    cannot be mistaken for a complete one; after an error it is removed.
    """
    if path is None:
        for piece in pieces:
            stdout.write(piece.decode(), ending="")
        return
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.writelines(pieces)
        partial.replace(path)
    except (OSError, DatabaseError) as error:
        raise refusal(error) from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


POLL_SECONDS = 0.2

S = Delivery.Status


def wait_for_end(
    notification: Notification, stdout: Any, *, accepted: str = S.ACCEPTED.value
) -> None:
    """Wait until a notification is completed, cancelled or paused; write its counts.

    Its calls in progress have ended, too, and of a recall or a correction all queries
    about unconfirmed deliveries. A paused one without a queued delivery is completed by
    the worker. ``accepted`` is the word before the number of accepted deliveries.

    Raises ``CommandError`` unless all deliveries were accepted. Those of a completed
    recall or correction that were cancelled have no message that could be changed.
    """
    rows = notification.deliveries
    while True:
        notification.refresh_from_db()
        counts = rows.counts()
        is_paused = notification.status == Notification.Status.PAUSED
        if is_paused and counts[S.QUEUED] and not counts[S.SENDING]:
            break
        is_queried = notification.amends_id and rows.filter(next_query_at__isnull=False)
        if notification.has_ended and not counts[S.SENDING] and not is_queried:
            break
        time.sleep(POLL_SECONDS)
    counts = rows.counts()  # a query may have been answered since
    words = {S.ACCEPTED: accepted}
    shown = [S.ACCEPTED, S.FAILED, S.UNCONFIRMED, S.CANCELLED]
    stdout.write(" ".join(f"{words.get(s, s.value)}={counts[s]}" for s in shown))
    if is_paused:
        raise CommandError(
            f"Notification {notification.pk} is paused: {notification.paused_reason}.",
            returncode=FAILED,
        )
    is_completed = notification.status == Notification.Status.COMPLETED
    cancelled = 0 if is_completed else counts[S.CANCELLED]
    if counts[S.FAILED] or counts[S.UNCONFIRMED] or cancelled:
        raise CommandError(f"Not all were {accepted}.", returncode=FAILED)
