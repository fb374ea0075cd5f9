"""The audit trail as people read it: which entries, and what they say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from notifications.audit.presentation import lines, sentence
from notifications.models import AuditEntry, Notification
from notifications.ui.dates import in_period


class AmbiguousActor(Exception):
    """A search for a person means more than one: ``names`` are some of them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


NAMED = 5


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Empty values mean: all. ``actor`` is exact, as from ``actor_matching``."""

    actor: str = ""
    action: str = ""
    since: date | None = None
    until: date | None = None
    notification: int | None = None
    address: str = ""
    request_number: UUID | None = None


def entries(wanted: TrailFilter) -> QuerySet[AuditEntry]:
    """The entries, newest first."""
    given = {
        "actor": wanted.actor,
        "action": wanted.action,
        "notification_number": wanted.notification,
        "address": wanted.address,
        "request_number": wanted.request_number,
    }
    rows = AuditEntry.objects.all()
    if wanted.notification or wanted.request_number:
        # These leave few rows. As expressions, the other columns do not tempt SQLite,
        # which has no figures of how many rows each leaves, to walk their index.
        rows = rows.alias(
            plain_actor=Concat("actor", Value("")),
            plain_action=Concat("action", Value("")),
        )
        given["plain_actor"] = given.pop("actor")
        given["plain_action"] = given.pop("action")
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    return in_period(rows, "at", wanted.since, wanted.until).order_by("-id")


def actor_matching(term: str) -> str:
    """The username that a search for a person means; raises ``SeveralPeople``.

    Whoever is in no list of people, such as "worker 3", a command or a former username,
    is found by the whole name.
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
        return term
    if len(names) > 1:
        raise AmbiguousActor(names[:NAMED])
    return names[0]


def linked_notifications(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
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


def action_lines(entries: Iterable[AuditEntry]) -> list[ActionLine]:
    """The entries in the reader's language, in their order."""
    return [
        ActionLine(
            number=entry.pk,
            at=entry.at,
            actor=entry.actor,
            name=entry.actor_name,
            by_superuser=entry.by_superuser,
            action=entry.action,
            sentence=sentence(entry.action, entry.detail),
            details=lines(entry.action, entry.detail),
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
    return action_lines(entries.order_by("id"))
