"""Permission for changes of people and roles, their audit entries, and their effects.

The admin pages save the changes: they call ``begin_…`` before and ``record_…`` after, in
the same transaction. The values contain no password. People whose rights or password
changed must log in again (OWASP ASVS 5.0, 7.4.2 and 7.4.3); the session that makes the
change, with the key ``present``, stays open. What people have scheduled or running who
may no longer send is paused.
"""

from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from notifications import audit_log, permissions
from notifications.access.audit_events import (
    PASSWORD_CHANGED,
    PERSON_ADDED,
    PERSON_CHANGED,
    ROLE_ADDED,
    ROLE_CHANGED,
    ROLE_DELETED,
)
from notifications.access.services import sessions
from notifications.delivery.lost_rights import pause_without_right
from notifications.ui.made_from import fingerprint, refuse_old_page

FIELDS = (
    "username",
    "first_name",
    "last_name",
    "email",
    "is_active",
    "is_staff",
    "is_superuser",
)

RIGHTS = ("is_active", "is_staff", "is_superuser", "roles", "subject")

Values = Mapping[str, Any]


def begin_person(user: User, person: User) -> Values | None:
    """Lock both people, and return the stored values of ``person``; ``None`` for a new one.

    Raises ``PermissionDenied``. People administrators can change neither themselves nor
    a superuser, and make no superuser: ``person`` may have changed values.
    """
    if person.pk is None:
        permissions.lock_roles()  # a page that changes a person has locked them before
    permissions.lock_people(pk for pk in (user.pk, person.pk) if pk is not None)
    permission = "auth.add_user" if person.pk is None else "auth.change_user"
    is_superuser = permissions.require(user, permission).is_superuser
    if person.pk is None:
        return None
    before = values_of_person(person.pk)
    concerns_superuser = person.is_superuser or before["is_superuser"]
    if not is_superuser and (concerns_superuser or person.pk == user.pk):
        raise PermissionDenied(_("Only a superuser can do this."))
    return before


def require_can_change(user: User, person: User) -> None:
    """As the pages check it before they are shown; see ``begin_person``."""
    if not user.is_superuser and (person.is_superuser or person.pk == user.pk):
        raise PermissionDenied(_("Only a superuser can do this."))


def values_of_person(pk: int) -> Values:
    """Return the stored values; roles by name."""
    person = User.objects.get(pk=pk)
    names = person.groups.values_list("name", flat=True)
    identities = SocialAccount.objects.filter(user=pk).values_list("uid", flat=True)
    return {name: getattr(person, name) for name in FIELDS} | {
        "roles": sorted(names),  # not by the collation of a database
        "subject": identities.first() or "",
    }


def record_person(
    actor: str, pk: int, before: Values | None, *, present: str = ""
) -> None:
    """``before`` is ``None`` for a new person; without a change, nothing is written."""
    after = values_of_person(pk)
    event = PERSON_ADDED if before is None else PERSON_CHANGED
    _write(event, actor, before, after, person=after["username"])
    if before is not None and any(after[name] != before[name] for name in RIGHTS):
        sessions.end_after_change(actor, [pk], present=present)
        pause_without_right(actor)


def record_password(person: User, *, present: str = "", **detail: Any) -> None:
    """The person has set a new password; ``by="link"`` if it was set by a link."""
    name = person.get_username()
    audit_log.write(PASSWORD_CHANGED, name, person=name, **detail)
    sessions.end_after_change(name, [person.pk], present=present)


def begin_role(user: User, permission: str, pk: int | None) -> Values | None:
    """Lock the role and its people; return the stored values, ``None`` for a new role.

    Raises ``PermissionDenied``.
    """
    if pk is not None:
        # The lock also keeps others from getting the role until the commit.
        Group.objects.select_for_update().get(pk=pk)
        permissions.lock_people([user.pk, *_people_with(pk)])
    permissions.require(user, permission)
    return None if pk is None else values_of_role(pk)


def values_of_role(pk: int) -> Values:
    role = Group.objects.get(pk=pk)
    rows = role.permissions.select_related("content_type")
    return {"name": role.name, "permissions": sorted(map(permissions.full_name, rows))}


def record_role(
    user: User, pk: int, before: Values | None, *, present: str = ""
) -> None:
    """As ``record_person``; changed permissions concern all people with the role."""
    after = values_of_role(pk)
    event = ROLE_ADDED if before is None else ROLE_CHANGED
    _write(event, user.get_username(), before, after, role=after["name"])
    if before is not None and after["permissions"] != before["permissions"]:
        sessions.end_after_change(
            user.get_username(), _people_with(pk), present=present
        )
        pause_without_right(user.get_username())


def delete_role(
    user: User, pk: int, *, present: str = "", shown: str | None = None
) -> None:
    """The audit entry lists the permissions and people.

    ``shown`` is the ``role_shown`` of the page. Raises ``PermissionDenied`` and
    ``ChangedSinceShown``.
    """
    begin_role(user, "auth.delete_group", pk)
    refuse_old_page(shown, *_state_of_role(pk))
    before = values_of_role(pk)
    names = User.objects.filter(groups=pk).values_list("username", flat=True)
    audit_log.write(
        ROLE_DELETED,
        user.get_username(),
        role=before["name"],
        before=before,
        after={},
        people=len(names),
        **audit_log.named(names),
    )
    sessions.end_after_change(user.get_username(), _people_with(pk), present=present)
    Group.objects.get(pk=pk).delete()
    pause_without_right(user.get_username())


def role_shown(pk: int) -> str:
    """The fingerprint of what the page of the deletion shows."""
    return fingerprint(*_state_of_role(pk))


def _state_of_role(pk: int) -> tuple[Values, list[int]]:
    return values_of_role(pk), sorted(_people_with(pk))


def _people_with(role: int) -> list[int]:
    return list(User.objects.filter(groups=role).values_list("pk", flat=True))


def _write(
    event: audit_log.Event,
    actor: str,
    before: Values | None,
    after: Values,
    **target: Any,
) -> None:
    if before is None:
        changed = {name: value for name, value in after.items() if value}
    else:
        changed = {
            name: value for name, value in after.items() if value != before[name]
        }
    if not changed:
        return
    previous = {name: before[name] for name in changed} if before else {}
    audit_log.write(event, actor, before=previous, after=changed, **target)
