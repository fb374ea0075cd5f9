"""Saving a chat group, and switching groups on or off."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from notifications import audit_log, permissions
from notifications.groups.audit_events import (
    GROUP_ADDED,
    GROUP_CHANGED,
    SWITCHED_OFF,
    SWITCHED_ON,
)
from notifications.models import ChatGroup
from notifications.permissions import require

BLOCK = 500


@transaction.atomic
def save_group(user: User, group: ChatGroup) -> None:
    """Add or change a group; after a rename the old name stays searchable."""
    group.checked_at = timezone.now()
    if group.pk is None:
        require(user, permissions.ADD_GROUPS)
        group.save()
        event = GROUP_ADDED
        detail: dict[str, Any] = _values(group)
    else:
        require(user, permissions.CHANGE_GROUPS)
        before = ChatGroup.objects.select_for_update().get(pk=group.pk)
        old_values, name = _values(before), group.name
        group.name, group.former_names = before.name, before.former_names
        group.rename(name)
        group.save()
        changed = {key: v for key, v in _values(group).items() if v != old_values[key]}
        event = GROUP_CHANGED
        detail = {"before": {key: old_values[key] for key in changed}, "after": changed}
    audit_log.write(event, user.get_username(), group_id=group.group_id, **detail)


def switch_off(user: User, groups: QuerySet[ChatGroup]) -> int:
    """In use → switched off: nothing is sent to them. Returns the number of changes."""
    return _switch(user, groups, ChatGroup.State.IN_USE, ChatGroup.State.SWITCHED_OFF)


def switch_on(user: User, groups: QuerySet[ChatGroup]) -> int:
    """Switched off → in use; not for closed groups. Returns the number of changes."""
    return _switch(user, groups, ChatGroup.State.SWITCHED_OFF, ChatGroup.State.IN_USE)


@transaction.atomic
def _switch(
    user: User,
    groups: QuerySet[ChatGroup],
    old: ChatGroup.State,
    new: ChatGroup.State,
) -> int:
    require(user, permissions.CHANGE_GROUPS)
    pks = list(groups.order_by("pk").filter(state=old).values_list("pk", flat=True))
    switched: list[str] = []
    for start in range(0, len(pks), BLOCK):
        block = ChatGroup.objects.filter(pk__in=pks[start : start + BLOCK], state=old)
        locked = block.order_by("pk").select_for_update()
        switched += locked.values_list("group_id", flat=True)
        block.update(state=new)
    if switched:
        event = SWITCHED_ON if new == ChatGroup.State.IN_USE else SWITCHED_OFF
        audit_log.write(event, user.get_username(), groups=switched)
    return len(switched)


def _values(group: ChatGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "type": group.type,
        "member_count": group.member_count,
        "state": group.state,
    }
