"""People and roles in the audit trail: what was changed about whom.

The admin's own pages save them; they ask for the values before and call these functions
after, in the same transaction. No password is among the values.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group, User

from notifications import roles
from notifications.models import AuditEntry
from notifications.record import trail

A = AuditEntry.Action
FIELDS = ("username", "first_name", "last_name", "email", "is_active", "is_superuser")
Values = Mapping[str, Any]


def values_of_person(pk: int) -> Values:
    """As they are stored now; roles by name."""
    person = User.objects.get(pk=pk)
    names = person.groups.order_by("name").values_list("name", flat=True)
    return {name: getattr(person, name) for name in FIELDS} | {"roles": list(names)}


def record_person(user: User, pk: int, before: Values | None) -> None:
    """``before`` is ``None`` for somebody new; nothing is written of no change."""
    after = values_of_person(pk)
    action = A.PERSON_ADDED if before is None else A.PERSON_CHANGED
    _write(action, user, before, after, person=after["username"])


def record_password(user: User, person: User) -> None:
    """``user`` set a new password for ``person``, who may be the same."""
    trail.write(A.PASSWORD_CHANGED, user.get_username(), person=person.get_username())


def values_of_role(pk: int) -> Values:
    role = Group.objects.get(pk=pk)
    held = role.permissions.select_related("content_type")
    return {"name": role.name, "permissions": sorted(map(roles.full_name, held))}


def record_role(user: User, pk: int, before: Values | None) -> None:
    """As ``record_person``."""
    after = values_of_role(pk)
    action = A.ROLE_ADDED if before is None else A.ROLE_CHANGED
    _write(action, user, before, after, role=after["name"])


def record_deleted_role(user: User, pk: int) -> None:
    """Call it before: the entry says what the role allowed, and who loses that."""
    before = values_of_role(pk)
    people = User.objects.filter(groups=pk).order_by("username")
    trail.write(
        A.ROLE_DELETED,
        user.get_username(),
        role=before["name"],
        before=before,
        after={},
        people=list(people.values_list("username", flat=True)),
    )


def _write(
    action: AuditEntry.Action,
    user: User,
    before: Values | None,
    after: Values,
    **about: Any,
) -> None:
    if before is None:
        changed = {name: value for name, value in after.items() if value}
    else:
        changed = {name: v for name, v in after.items() if v != before[name]}
    if not changed:
        return
    was = {name: before[name] for name in changed} if before else {}
    trail.write(action, user.get_username(), before=was, after=changed, **about)
