"""Writes the audit trail: one entry for each action of a person or of the engine.

Each folder defines its events in ``audit_events.py``.

The origin of an action is not a parameter of every call: the middleware sets it for a
request and a command for its run, ``with origin(...)``.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
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

# Names in one entry: an action on 100,000 groups must not write megabytes.
MAX_NAMED = 100

Values = Mapping[str, Any]  # ``AuditEntry.detail``

Lines = Callable[[Values], Iterator[str]]

# All events by word, in the order of their definition.
EVENTS: dict[str, "Event"] = {}


@dataclass(frozen=True, slots=True)
class Detail:
    """A value of an entry that is shown as a line, such as ``Note: a wrong date``.

    ``display`` formats the value; without it, the value is shown as it is.
    """

    key: str
    label: Promise
    display: Callable[[Any], str] | None = None


class Event:
    """A kind of action in the audit trail, and its texts. A new event registers itself.

    ``word`` is stored, exported and sealed as ``action``: it never changes. ``label``
    is its name in lists. ``sentence`` may contain values of the entry, and ``%(n)d``: the
    value of the key ``count``, or the length of that list. ``details`` follow the
    sentence in their order; a function returns lines from several values.
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


@dataclass(frozen=True, slots=True)
class Origin:
    """One request, or one run of a command: its entries share ``number``.

    ``person`` is called only when an entry is written: most requests write none, and
    the user changes during a login or logout. ``address`` is an IP address or empty.
    """

    person: Callable[[], AbstractBaseUser | AnonymousUser | None] = lambda: None
    address: str = ""
    number: uuid.UUID = field(default_factory=uuid.uuid4)


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def origin(source: Origin | None) -> Iterator[None]:
    """Set the origin of the entries written inside; ``None`` leaves it empty."""
    token = _current.set(source)
    try:
        yield
    finally:
        _current.reset(token)


def current_origin() -> Origin | None:
    """The origin, for work that continues after its request, such as a download."""
    return _current.get()


def named(
    names: Iterable[str], filters: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Values of an entry for a list of any length: ``named`` holds the first names.

    ``filters`` selected them; ``None`` if they were chosen one by one.
    When these are not all, ``digest`` covers the whole list: the SHA-256 of its sorted
    names, each followed by a line feed, as ``LC_ALL=C sort FILE | sha256sum`` computes it.
    """
    ordered = sorted(names)
    values: dict[str, Any] = {"named": ordered[:MAX_NAMED]}
    if len(ordered) > MAX_NAMED:
        values["digest"] = digest_of(ordered)
    if filters is not None:
        values["filters"] = dict(filters)
    return values


def digest_of(names: Iterable[str]) -> str:
    """The digest that ``named`` describes; ``names`` are sorted."""
    return hashlib.sha256("".join(f"{name}\n" for name in names).encode()).hexdigest()


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

    ``actor`` is a username, ``worker N`` or a command; the full name is copied if the
    actor is the person of the origin. ``at`` is only for the generated history of the
    demo. ``detail`` must be plain JSON values.
    """
    source = current_origin()
    person = source.person() if source else None
    if not isinstance(person, User) or person.get_username() != actor:
        person = None
    AuditEntry.objects.create(
        at=at or timezone.now(),
        action=event.word,
        actor=actor,
        actor_name=person.get_full_name()[:NAME_MAX_LENGTH] if person else "",
        by_superuser=person is not None and person.is_superuser,
        address=source.address if source else "",
        request_number=source.number if source else None,
        notification_number=notification,
        delivery_number=delivery,
        detail=_storable(detail),
    )


def _storable(detail: dict[str, Any]) -> Any:
    """Replace what UTF-8 cannot encode: parts of a file name in another encoding."""
    text = json.dumps(detail, ensure_ascii=False)
    return json.loads(text.encode("utf-8", "replace"))
