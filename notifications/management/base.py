"""What our commands share: refusals in one sentence, days, and who ran them."""

import argparse
import getpass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from notifications.record import trail

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


def person(username: str) -> User:
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
        with trail.origin(trail.Origin()):
            return super().execute(*args, **options)
