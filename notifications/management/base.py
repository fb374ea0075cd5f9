"""Shared by the commands: refusals, days, accounts, output and waiting."""

import argparse
import getpass
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from notifications import audit_log
from notifications.models import Delivery, Notification

FAILED = 1

REFUSED = 2


def refusal(error: Exception) -> CommandError:
    """The error as the sentence or sentences that a person reads; exit code 2."""
    if isinstance(error, ValidationError):
        return CommandError(" ".join(error.messages), returncode=REFUSED)
    return CommandError(str(error), returncode=REFUSED)


def account() -> str:
    """Who runs the command, as far as the machine can tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def user_named(username: str) -> User:
    """Who may log in under that name. Raises ``CommandError``."""
    try:
        return User.objects.get(username=username, is_active=True)
    except User.DoesNotExist:
        raise CommandError(
            f"There is nobody called “{username}” who may log in.", returncode=REFUSED
        ) from None


def day(text: str) -> datetime:
    """For options: the first moment of a day like 2026-03-02, in the site's zone."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise argparse.ArgumentTypeError(f"“{text}” is no day like 2026-03-02.")
    moment = datetime(found.year, found.month, found.day)  # noqa: DTZ001  made aware below
    return timezone.make_aware(moment)


class RecordedCommand(BaseCommand):
    """A command whose audit entries share the number of its run."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with audit_log.origin(audit_log.Origin()):
            return super().execute(*args, **options)


def write_output(pieces: Iterable[bytes], path: Path | None, stdout: Any) -> None:
    """Write all of it. Raises ``CommandError`` when the file cannot be written.

    Under another name until it is whole: no half file is left for a whole one.
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
    except OSError as error:
        raise refusal(error) from None


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
