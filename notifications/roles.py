"""Roles: named sets of permissions, made and kept by ``manage.py migrate``.

A role is a Django group. People may change what a role holds; a role that is missing
is made again.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission

SEND = "notifications.send_notification"
SEE_HISTORY = "notifications.view_history"
EXPORT_HISTORY = "notifications.export_history"
SEE_GROUPS = "notifications.view_chatgroup"
ADD_GROUPS = "notifications.add_chatgroup"
CHANGE_GROUPS = "notifications.change_chatgroup"

COMMUNITY_MANAGER = "Community manager"
AUDITOR = "Auditor"
GROUP_ADMINISTRATOR = "Group administrator"
PEOPLE_ADMINISTRATOR = "People administrator"

PERMISSIONS_OF = {
    COMMUNITY_MANAGER: [SEND, SEE_HISTORY, SEE_GROUPS],
    AUDITOR: [SEE_HISTORY, EXPORT_HISTORY, SEE_GROUPS],
    GROUP_ADMINISTRATOR: [SEE_GROUPS, ADD_GROUPS, CHANGE_GROUPS],
    PEOPLE_ADMINISTRATOR: [
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.view_group",
    ],
}

# The only permissions that the console asks for, in the order they are shown.
ALL = [
    *dict.fromkeys(name for held in PERMISSIONS_OF.values() for name in held),
    "auth.add_group",
    "auth.change_group",
    "auth.delete_group",
]


def permissions(names: list[str]) -> list[Permission]:
    """The rows for ``app.codename`` names, in that order."""
    wanted = [(app, codename) for app, _, codename in (n.partition(".") for n in names)]
    found = {
        (p.content_type.app_label, p.codename): p
        for p in Permission.objects.filter(
            codename__in=[codename for _app, codename in wanted]
        ).select_related("content_type")
    }
    return [found[key] for key in wanted if key in found]


def make_missing_roles(**_kwargs: Any) -> None:
    """Runs after every migrate; an existing role is left as people arranged it."""
    for name, names in PERMISSIONS_OF.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(permissions(names))
