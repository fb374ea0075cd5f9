"""The audit trail as people read it: entries, and the actions on one notification."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications.models import AuditEntry

from . import action_words


@dataclass(frozen=True, slots=True)
class ActionLine:
    """One entry in words. ``name`` is the full name then; empty for the engine.

    Lines with the same ``request_number`` come from one click or one run of a command.
    """

    number: int
    at: datetime
    actor: str
    name: str
    by_superuser: bool
    action: str
    sentence: str
    details: list[str]
    address: str
    request_number: UUID | None
    notification: int | None
    delivery: int | None


def in_words(entries: Iterable[AuditEntry]) -> list[ActionLine]:
    """The entries in the reader's language, in their order."""
    return [
        ActionLine(
            number=entry.pk,
            at=entry.at,
            actor=entry.actor,
            name=entry.actor_name,
            by_superuser=entry.by_superuser,
            action=entry.action,
            sentence=action_words.sentence(entry.action, entry.detail),
            details=action_words.lines(entry.action, entry.detail),
            address=entry.address,
            request_number=entry.request_number,
            notification=entry.notification_number,
            delivery=entry.delivery_number,
        )
        for entry in entries
    ]


def of_notification(number: int) -> list[ActionLine]:
    """All that was done with a notification, oldest first."""
    entries = AuditEntry.objects.filter(notification_number=number)
    return in_words(entries.order_by("id"))
