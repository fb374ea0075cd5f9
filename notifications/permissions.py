"""Roles and permissions.

A role is a Django group. People may change the permissions of a role; a missing role is
created again.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.models import Notification

SEND = "notifications.send_notification"

SEE_HISTORY = "notifications.view_history"

EXPORT_HISTORY = "notifications.export_history"

SEE_TRAIL = "notifications.view_trail"

SEE_GROUPS = "notifications.view_chatgroup"

ADD_GROUPS = "notifications.add_chatgroup"

CHANGE_GROUPS = "notifications.change_chatgroup"

CHANGE_AUDIENCES = "notifications.change_savedaudience"

SEE_SYSTEM = "notifications.view_system"


COMMUNITY_MANAGER = "Community manager"

AUDITOR = "Auditor"

GROUP_ADMINISTRATOR = "Group administrator"

PEOPLE_ADMINISTRATOR = "People administrator"

SYSTEM_ADMINISTRATOR = "System administrator"


# Translated names; roles that people added or renamed have no translation.
ROLE_LABELS: dict[str, Any] = {
    COMMUNITY_MANAGER: gettext_lazy("Community manager"),
    AUDITOR: gettext_lazy("Auditor"),
    GROUP_ADMINISTRATOR: gettext_lazy("Group administrator"),
    PEOPLE_ADMINISTRATOR: gettext_lazy("People administrator"),
    SYSTEM_ADMINISTRATOR: gettext_lazy("System administrator"),
}


ROLE_PERMISSIONS = {
    COMMUNITY_MANAGER: [SEND, SEE_HISTORY, SEE_GROUPS, CHANGE_AUDIENCES],
    AUDITOR: [SEE_HISTORY, EXPORT_HISTORY, SEE_TRAIL, SEE_GROUPS],
    GROUP_ADMINISTRATOR: [SEE_GROUPS, ADD_GROUPS, CHANGE_GROUPS, CHANGE_AUDIENCES],
    PEOPLE_ADMINISTRATOR: [
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.view_group",
    ],
    SYSTEM_ADMINISTRATOR: [SEE_SYSTEM],
}


# Labels of permissions, as sentences.
PERMISSION_LABELS: dict[str, Any] = {
    SEND: gettext_lazy("May write and send notifications"),
    SEE_HISTORY: gettext_lazy("May see the history"),
    EXPORT_HISTORY: gettext_lazy("May download the history"),
    SEE_TRAIL: gettext_lazy("May see the audit trail"),
    SEE_GROUPS: gettext_lazy("May see the groups"),
    ADD_GROUPS: gettext_lazy("May add groups"),
    CHANGE_GROUPS: gettext_lazy("May change groups and switch them off"),
    CHANGE_AUDIENCES: gettext_lazy("May save, change and delete audiences"),
    SEE_SYSTEM: gettext_lazy("May see the System page and check the connection"),
    "auth.view_user": gettext_lazy("May see people"),
    "auth.add_user": gettext_lazy("May add people"),
    "auth.change_user": gettext_lazy("May change people and their roles"),
    "auth.view_group": gettext_lazy("May see the roles"),
    "auth.add_group": gettext_lazy("May add roles"),
    "auth.change_group": gettext_lazy("May change roles"),
    "auth.delete_group": gettext_lazy("May delete roles"),
}


# The permissions that the console checks, in the order of the pages.
ALL_PERMISSIONS = list(PERMISSION_LABELS)


def role_label(name: str) -> str:
    """Return the name of a role in the active language."""
    return str(ROLE_LABELS.get(name, name))


def full_name(permission: Permission) -> str:
    """Return ``app.codename``, as ``has_perm`` takes it."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def permission_label(permission: Permission) -> str:
    return str(PERMISSION_LABELS[full_name(permission)])


def permission_rows(names: list[str]) -> list[Permission]:
    """Return the permissions with these ``app.codename`` names, in that order."""
    codenames = [name.partition(".")[2] for name in names]
    rows = Permission.objects.filter(codename__in=codenames)
    by_name = {full_name(row): row for row in rows.select_related("content_type")}
    return [by_name[name] for name in names if name in by_name]


def make_missing_roles(**_kwargs: Any) -> None:
    """Receiver of ``post_migrate``; does not change existing roles."""
    for name, names in ROLE_PERMISSIONS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(permission_rows(names))


def lock_roles(names: Iterable[str] | None = None) -> list[Group]:
    """Lock all roles, or those with these names, until the end of the transaction.

    A transaction that gives roles to people calls it before ``lock_people``: the new rows
    refer to the roles, and a change of a role locks first the role, then its people.
    """
    roles = Group.objects.select_for_update(no_key=True).order_by("pk")
    return list(roles if names is None else roles.filter(name__in=names))


def lock_people(ids: Iterable[int]) -> list[User]:
    """Lock the rows of these people until the end of the transaction; return them.

    Every change of a person's rights takes this lock, and so does ``require``: of an
    action and a change at the same time, the second one waits for the commit of the
    first. docs/internals.md has the order of all locks ("Order of locks").
    """
    # Not the stronger FOR UPDATE: foreign keys to a person need not wait.
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=set(ids))
    return list(rows.order_by("pk"))


def require(user: User, *names: str) -> User:
    """Raise ``PermissionDenied`` with a message if ``user`` lacks one of the permissions.

    Reads the permissions from the database, under the lock of ``lock_people``: call it
    first in the transaction that needs them. Returns the user as stored now; ``user``
    may be older, and caches its permissions.
    """
    # Without a savepoint inside a transaction; outside of one, the lock ends here.
    with transaction.atomic(savepoint=False):
        stored = next(iter(lock_people([user.pk])), None)
        has_permission = (
            stored is not None and stored.is_staff and stored.has_perms(names)
        )
    if stored is None or not has_permission:
        raise PermissionDenied(
            _("Your login may not do this. Ask whoever gives out roles here.")
        )
    return stored


def actor_name(actor: User | str, *required: str) -> str:
    """Return the actor's name for the audit trail, and check a user's permissions.

    A string is the name of a command, which needs no permission.
    """
    if isinstance(actor, str):
        return actor
    return require(actor, *required).get_username()


def require_control(user: User, notification: Notification) -> None:
    """Raise ``PermissionDenied`` unless ``user`` sent the notification or took it over."""
    if notification.controller_id != user.pk:
        raise PermissionDenied(
            _("%(name)s controls this notification. Take it over first.")
            % {"name": notification.controller_name}
        )


def users_with(permission: str) -> QuerySet[User]:
    """The people who can log in to the console and have the permission."""
    people: QuerySet[User] = User.objects.with_perm(
        permission, backend="django.contrib.auth.backends.ModelBackend"
    )
    return people.filter(is_staff=True).order_by("username")


class NotOwnDraft(PermissionDenied):
    """Another person holds the draft."""


def require_own_draft(user: User, draft: Notification) -> None:
    """Only its sender opens, changes, deletes or sends a draft, and no superuser."""
    if draft.sender_id != user.pk:
        raise NotOwnDraft(
            _("This is a draft of %(sender)s, who can hand it over to you.")
            % {"sender": draft.sender.get_username()}
        )
