"""Roles: named sets of permissions, made and kept by ``manage.py migrate``.

A role is a Django group. People may change what a role holds; a role that is missing
is made again.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_lazy as _

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

# Their names as people read them; what people made or renamed bears its own name.
LABELS: dict[str, Any] = {
    COMMUNITY_MANAGER: _("Community manager"),
    AUDITOR: _("Auditor"),
    GROUP_ADMINISTRATOR: _("Group administrator"),
    PEOPLE_ADMINISTRATOR: _("People administrator"),
    SYSTEM_ADMINISTRATOR: _("System administrator"),
}

PERMISSIONS_OF = {
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

# What a permission allows, in words.
SENTENCES: dict[str, Any] = {
    SEND: _("May write and send notifications"),
    SEE_HISTORY: _("May see the history"),
    EXPORT_HISTORY: _("May download the history"),
    SEE_TRAIL: _("May see the audit trail"),
    SEE_GROUPS: _("May see the groups"),
    ADD_GROUPS: _("May add groups"),
    CHANGE_GROUPS: _("May change groups and switch them off"),
    CHANGE_AUDIENCES: _("May save, change and delete audiences"),
    SEE_SYSTEM: _("May see the System page and check the connection"),
    "auth.view_user": _("May see people"),
    "auth.add_user": _("May add people"),
    "auth.change_user": _("May change people, their roles and passwords"),
    "auth.view_group": _("May see the roles"),
    "auth.add_group": _("May add roles"),
    "auth.change_group": _("May change roles"),
    "auth.delete_group": _("May delete roles"),
}

# The only permissions that the console asks for, in the order they are shown.
ALL = list(SENTENCES)


def label(name: str) -> str:
    """The name of a role in the reader's language."""
    return str(LABELS.get(name, name))


def full_name(permission: Permission) -> str:
    """``app.codename``, as ``has_perm`` takes it."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def sentence(permission: Permission) -> str:
    return str(SENTENCES[full_name(permission)])


def permissions(names: list[str]) -> list[Permission]:
    """The rows for ``app.codename`` names, in that order."""
    codenames = [name.partition(".")[2] for name in names]
    rows = Permission.objects.filter(codename__in=codenames)
    found = {full_name(row): row for row in rows.select_related("content_type")}
    return [found[name] for name in names if name in found]


def make_missing_roles(**_kwargs: Any) -> None:
    """Runs after every migrate; an existing role is left as people arranged it."""
    for name, names in PERMISSIONS_OF.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(permissions(names))
