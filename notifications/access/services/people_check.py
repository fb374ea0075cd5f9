"""Compares people and roles with what the audit trail recorded about them.

People and roles are not sealed, since they change; but every change in the console writes
an entry, and the trail is sealed. So a change by SQL or in a shell is a difference, until
the same value is changed in the console. Only the first superuser, whom
``createsuperuser`` added, and the shipped roles have no entry at first.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet

from notifications import permissions
from notifications.access.audit_events import (
    PERSON_ADDED,
    PERSON_CHANGED,
    ROLE_ADDED,
    ROLE_CHANGED,
    ROLE_DELETED,
)
from notifications.access.services.people import (
    FIELDS,
    values_of_person,
    values_of_role,
)
from notifications.models import AuditEntry
from notifications.record.readable import Reader

# By username or name of the role.
Recorded = dict[str, dict[str, Any]]

_ADDED = (PERSON_ADDED.word, ROLE_ADDED.word)
_FIELDS = {"username": (*FIELDS, "roles", "subject"), "name": ("permissions",)}
# Values without an entry. The console makes every person whom it saves staff.
_INITIAL = dict.fromkeys(_FIELDS["username"]) | {"is_staff": True}
# ``createsuperuser`` sets the other values.
_INITIAL_OF_FIRST = {"is_staff": True, "roles": None, "subject": None}
_PEOPLE = (PERSON_ADDED.word, PERSON_CHANGED.word)
_ROLES = (ROLE_ADDED.word, ROLE_CHANGED.word, ROLE_DELETED.word)


def people_differences() -> Iterator[str]:
    """A sentence for each person and role with another value; the value is not shown."""
    reader = Reader()
    people, roles, unreadable = _recorded(reader)
    yield from unreadable
    yield from _rights_without_entry(roles, reader)
    first = _first_superuser(people, reader)
    for person in reader.rows(User.objects.order_by("username")):
        subject = f"user {person.username}"
        recorded = people.pop(person.username, None)
        if recorded is None and person.pk != first:
            yield f"{subject} was added or renamed outside of the console."
            continue
        identities = SocialAccount.objects.filter(user=person)
        if not _are_readable(reader, identities, person.groups.all()):
            continue
        initial = _INITIAL_OF_FIRST if person.pk == first else _INITIAL
        expected = {**initial, "username": person.username, **(recorded or {})}
        yield from _differences(subject, expected, values_of_person(person.pk))
    for username in people:
        if not User.objects.filter(username=username).exists():
            yield from _differences(f"user {username}", {}, None)
    for name, recorded in roles.items():
        query = Group.objects.filter(name=name)
        role = next(reader.rows(query), None)
        if role is None and query.exists():
            continue
        present = values_of_role(role.pk) if role else None
        yield from _differences(f"role {name}", recorded, present)
    yield from dict.fromkeys(reader.sentences)


def _are_readable(reader: Reader, *queries: QuerySet[Any]) -> bool:
    return all(len(reader.all(query)) == query.count() for query in queries)


def _first_superuser(people: Recorded, reader: Reader) -> int | None:
    """The first one who is or was a superuser, and was not added in the console."""
    for person in reader.rows(User.objects.order_by("pk")):
        recorded = people.get(person.username, {})
        was_added = recorded.keys() >= _INITIAL.keys()
        if not was_added and (person.is_superuser or "is_superuser" in recorded):
            return person.pk
    return None


def _rights_without_entry(roles: Recorded, reader: Reader) -> Iterator[str]:
    """``roles`` were recorded; ``migrate`` creates a missing shipped role without entry."""
    people = User.objects.filter(user_permissions__isnull=False).distinct()
    for person in reader.rows(people.order_by("pk")):
        yield f"user {person.username} has a permission that the console cannot give."
    for role in reader.rows(Group.objects.exclude(name__in=roles).order_by("name")):
        shipped = permissions.ROLE_PERMISSIONS.get(role.name)
        if shipped is None:
            yield f"role {role.name} was added or renamed outside of the console."
        elif values_of_role(role.pk)["permissions"] != sorted(shipped):
            yield f"role {role.name} was changed outside of the console: permissions."


def _recorded(reader: Reader) -> tuple[Recorded, Recorded, list[str]]:
    """The last recorded values of people and roles, and sentences on other entries."""
    people: Recorded = {}
    roles: Recorded = {
        name: {"permissions": sorted(names)}
        for name, names in permissions.ROLE_PERMISSIONS.items()
    }
    unreadable = []
    entries = AuditEntry.objects.filter(action__in=[*_PEOPLE, *_ROLES]).order_by("pk")
    for entry in reader.rows(entries):
        try:
            _read(people, roles, entry.action, entry.detail)
        except (AttributeError, KeyError, TypeError):
            unreadable.append(f"audit entry {entry.pk} has no readable detail.")
    return people, roles, unreadable


def _read(
    people: Recorded, roles: Recorded, action: str, detail: dict[str, Any]
) -> None:
    if action in _PEOPLE:
        _apply(people, detail, action, name=detail["person"], key="username")
        return
    _apply(roles, detail, action, name=detail["role"], key="name")
    before = detail["before"].get("name")
    if before is not None:
        _rename_role(people.values(), before, detail["after"].get("name"))
    if action == ROLE_DELETED.word:
        del roles[detail["role"]]


def _apply(
    recorded: Recorded, detail: dict[str, Any], action: str, *, name: str, key: str
) -> None:
    before, after = detail["before"], detail["after"]
    values = recorded.pop(before.get(key, name), {})
    if action in _ADDED:  # empty values are not in the entry
        values = dict.fromkeys(_FIELDS[key])
    recorded[name] = values | after


def _rename_role(
    people: Iterable[dict[str, Any]], before: str, after: str | None
) -> None:
    """``after`` is ``None`` for a deleted role."""
    for values in people:
        names = values.get("roles") or []
        if before in names:
            others = [name for name in names if name != before]
            values["roles"] = sorted([*others, after] if after else others)


def _differences(
    subject: str, recorded: dict[str, Any], present: Any | None
) -> Iterator[str]:
    if present is None:
        yield f"{subject} was removed or renamed outside of the console."
        return
    changed = [
        field
        for field, value in recorded.items()
        if (value or None) != (present[field] or None)
    ]
    if changed:
        yield f"{subject} was changed outside of the console: {', '.join(changed)}."
