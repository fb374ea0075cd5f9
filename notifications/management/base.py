"""What our commands share: a refusal is one sentence on stderr and an exit code."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

FAILED = 1
REFUSED = 2


def refusal(error: Exception) -> CommandError:
    """The error as the sentence or sentences that a person reads; exit code 2."""
    if isinstance(error, ValidationError):
        return CommandError(" ".join(error.messages), returncode=REFUSED)
    return CommandError(str(error), returncode=REFUSED)
