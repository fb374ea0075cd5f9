"""Queries of the audit trail: actors, and entries as actions with texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from notifications.audit.presentation import lines, sentence
from notifications.models import AuditEntry, DraftVersion, Notification


class AmbiguousActor(Exception):
    """A search matches several people: ``names`` are some of them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


MAX_NAMES = 5


def actor_matching(term: str) -> str:
    """The username that matches a search for a person; raises ``AmbiguousActor``.

    An actor without a user, such as "worker 3", a command or a former username, matches
    by the whole name.
    """
    people = User.objects.annotate(
        full=Concat("first_name", Value(" "), "last_name"),
        reversed=Concat("last_name", "first_name"),  # as Chinese names are written
    )
    matching = people.filter(
        Q(username__icontains=term)
        | Q(full__icontains=term)
        | Q(reversed__icontains=term)
    )
    names = list(matching.order_by("username").values_list("username", flat=True))
    if not names or term in names:
        return term
    if len(names) > 1:
        raise AmbiguousActor(names[:MAX_NAMES])
    return names[0]


def linked_notifications(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """Add ``is_sent``: its notification has a page; ``is_deleted``: it is a draft that
    was deleted, with versions; and ``has_others``: the same request wrote other entries.
    """
    sent = Notification.objects.sent().filter(pk=OuterRef("notification_number"))
    same = AuditEntry.objects.filter(request_number=OuterRef("request_number"))
    others = same.exclude(pk=OuterRef("pk")).order_by()
    present = Notification.objects.filter(pk=OuterRef("notification_number"))
    versions = DraftVersion.objects.filter(
        notification_number=OuterRef("notification_number")
    )
    return rows.annotate(
        is_sent=Exists(sent),
        is_deleted=Exists(versions) & ~Exists(present),
        has_others=Exists(others),
    )


@dataclass(frozen=True, slots=True)
class Action:
    """An entry with its texts in the active language."""

    entry: AuditEntry
    sentence: str
    details: list[str]


def actions_of(entries: Iterable[AuditEntry]) -> list[Action]:
    """The actions of the entries, in their order."""
    return [
        Action(
            entry,
            sentence(entry.action, entry.detail),
            lines(entry.action, entry.detail),
        )
        for entry in entries
    ]


def actions_of_notification(number: int) -> list[Action]:
    """All actions on a notification, oldest first."""
    entries = AuditEntry.objects.filter(notification_number=number)
    return actions_of(entries.order_by("id"))
