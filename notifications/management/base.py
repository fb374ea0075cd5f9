"""What our commands share: refusals in one sentence, and who ran them."""

import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

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


class RecordedCommand(BaseCommand):
    """A command whose audit entries share the number of its run."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with trail.origin(trail.Origin()):
            return super().execute(*args, **options)
