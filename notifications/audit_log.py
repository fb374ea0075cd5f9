"""Writes the audit trail. Every action of a person or of the engine passes here.

What can be written is an ``Event``. Each folder has its own in ``audit_events.py``.

Where an action comes from does not travel through every call: whoever begins (the
middleware for a request, a command for its run) names it once, ``with origin(...)``.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.utils import timezone
from django.utils.functional import Promise

from notifications.models import AuditEntry

NAME_MAX_LENGTH = 150

Values = Mapping[str, Any]  # the details of an entry, as they are stored

Lines = Callable[[Values], Iterator[str]]

# All events by their word, in the order in which they were defined.
EVENTS: dict[str, "Event"] = {}


@dataclass(frozen=True, slots=True)
class Detail:
    """A value of an entry that readers see as a line, such as ``Note: a wrong date``.

    ``words`` makes the value readable; without it, the value is shown as it is.
    """

    key: str
    label: Promise
    words: Callable[[Any], str] | None = None


class Event:
    """A word of the audit trail and how it reads. A new event registers itself.

    ``word`` is stored, exported and sealed: it never changes. ``label`` is its name in
    lists. ``sentence`` may have values of the entry, and ``%(n)d``: the value
    ``count``, or the length of that list. ``details`` follow it in their order; a
    function returns lines that are made of several values.
    """

    def __init__(
        self,
        word: str,
        label: Promise,
        sentence: Any,
        *details: Detail | Lines,
        count: str = "",
    ) -> None:
        if word in EVENTS:
            raise ValueError(f"There are two events “{word}”.")
        self.word = word
        self.label = label
        self.sentence = sentence
        self.details = details
        self.count = count
        EVENTS[word] = self


def no_origin() -> None:
    """The person of an origin that has none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One request, or one run of a command: its entries share ``number``.

    ``person`` is asked only when an entry is written: most requests write none, and a
    person logs in or out in the middle of one. ``address`` is an IP address or empty.
    """

    person: Callable[[], AbstractBaseUser | AnonymousUser | None] = no_origin
    address: str = ""
    number: uuid.UUID = field(default_factory=uuid.uuid4)


_present: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def origin(begun: Origin | None) -> Iterator[None]:
    """Entries written inside come from ``begun``; ``None`` leaves all of it empty."""
    token = _present.set(begun)
    try:
        yield
    finally:
        _present.reset(token)


def current_origin() -> Origin | None:
    """For what goes on after its request, such as a download: take it along."""
    return _present.get()


def write(
    event: Event,
    actor: str,
    *,
    notification: int | None = None,
    delivery: int | None = None,
    at: datetime | None = None,
    **detail: Any,
) -> None:
    """Insert one entry; call it inside the transaction of the action itself.

    ``actor`` is a username, ``worker N`` or a command; the full name is copied when the
    actor is the person of the origin. ``at`` is only for a past that is made up, as in
    the demo. ``detail`` must be plain JSON values.
    """
    begun = current_origin()
    person = _person(begun, actor)
    AuditEntry.objects.create(
        at=at or timezone.now(),
        action=event.word,
        actor=actor,
        actor_name=person.get_full_name()[:NAME_MAX_LENGTH] if person else "",
        by_superuser=person is not None and person.is_superuser,
        address=begun.address if begun else "",
        request_number=begun.number if begun else None,
        notification_number=notification,
        delivery_number=delivery,
        detail=detail,
    )


def _person(begun: Origin | None, actor: str) -> User | None:
    """Whoever acts, when the origin knows this person under that username."""
    person = begun.person() if begun else None
    if isinstance(person, User) and person.get_username() == actor:
        return person
    return None
