"""The audit trail as people read it: which entries, and what they say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from notifications.models import AuditEntry, Notification

from . import action_words
from .periods import in_period

# More people than these are no search.
SEARCHED_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """``None`` and empty values mean: all. ``actors`` as from ``actors_matching``."""

    actors: Sequence[str] | None = None
    action: str = ""
    since: date | None = None
    until: date | None = None
    notification: int | None = None
    address: str = ""
    request_number: UUID | None = None


def entries(wanted: TrailFilter) -> QuerySet[AuditEntry]:
    """The entries, newest first."""
    rows = AuditEntry.objects.all()
    if wanted.actors is not None:
        rows = rows.filter(actor__in=wanted.actors)
    given = {
        "action": wanted.action,
        "notification_number": wanted.notification,
        "address": wanted.address,
        "request_number": wanted.request_number,
    }
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    return in_period(rows, "at", wanted.since, wanted.until).order_by("-id")


def actors_matching(term: str) -> list[str]:
    """Usernames that a search for a person means.

    A whole username, also a former one, "worker 3" or a command, means just itself; else
    everybody whose username or full name contains the term.
    """
    known = User.objects.annotate(
        full=Concat("first_name", Value(" "), "last_name"),
        turned=Concat("last_name", "first_name"),  # as Chinese names are written
    )
    found = known.filter(
        Q(username__icontains=term)
        | Q(full__icontains=term)
        | Q(turned__icontains=term)
    )
    names = list(found.order_by("username").values_list("username", flat=True))
    if not names or term in names:
        return [term]
    return names[:SEARCHED_PEOPLE]


def with_links(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """Adds ``is_sent``: there is a page of its notification; and ``has_others``: other
    entries came from the same request."""
    sent = Notification.objects.sent().filter(pk=OuterRef("notification_number"))
    same = AuditEntry.objects.filter(request_number=OuterRef("request_number"))
    others = same.exclude(pk=OuterRef("pk")).order_by()
    return rows.annotate(is_sent=Exists(sent), has_others=Exists(others))


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
