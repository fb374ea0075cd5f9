"""Saving a chat group, and switching groups on or off."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from notifications import audit_log, permissions
from notifications.db.sql import lock_tables
from notifications.groups.audit_events import (
    GROUP_ADDED,
    GROUP_CHANGED,
    SWITCHED_OFF,
    SWITCHED_ON,
)
from notifications.groups.labels import TABLES, Filters
from notifications.models import ChatGroup
from notifications.permissions import require

BLOCK = 500

State = ChatGroup.State

CHANGEABLE = ["name", "former_names", "type", "member_count", "state", "checked_at"]


@transaction.atomic
def save_group(user: User, group: ChatGroup) -> None:
    """Add or change a group; after a rename the old name stays searchable."""
    group.checked_at = timezone.now()
    if group.pk is None:
        require(user, permissions.ADD_GROUPS)
        group.save(force_insert=True)
        event = GROUP_ADDED
        detail: dict[str, Any] = _values(group)
    else:
        require(user, permissions.CHANGE_GROUPS)
        lock_tables(*TABLES, shared=True)
        before = ChatGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
        old_values, name = _values(before), group.name
        group.name, group.former_names = before.name, before.former_names
        group.rename(name)
        group.save(update_fields=CHANGEABLE)
        changed = {key: v for key, v in _values(group).items() if v != old_values[key]}
        event = GROUP_CHANGED
        detail = {"before": {key: old_values[key] for key in changed}, "after": changed}
    audit_log.write(event, user.get_username(), group_id=group.group_id, **detail)


def switch_off(
    user: User, groups: QuerySet[ChatGroup], *, filters: Filters = None
) -> int:
    """In use → switched off: nothing is sent to them. Returns the number of changes.

    ``filters`` selected the groups, for the audit entry; ``None`` for single groups.
    """
    return _switch(user, groups, State.IN_USE, State.SWITCHED_OFF, filters)


def switch_on(
    user: User, groups: QuerySet[ChatGroup], *, filters: Filters = None
) -> int:
    """Switched off → in use; not for closed groups. Returns the number of changes."""
    return _switch(user, groups, State.SWITCHED_OFF, State.IN_USE, filters)


@transaction.atomic
def _switch(
    user: User,
    groups: QuerySet[ChatGroup],
    old: ChatGroup.State,
    new: ChatGroup.State,
    filters: Filters,
) -> int:
    require(user, permissions.CHANGE_GROUPS)
    lock_tables(*TABLES, shared=True)
    pks = list(groups.order_by("pk").filter(state=old).values_list("pk", flat=True))
    switched: list[str] = []
    for start in range(0, len(pks), BLOCK):
        block = ChatGroup.objects.filter(pk__in=pks[start : start + BLOCK], state=old)
        locked = block.order_by("pk").select_for_update(no_key=True)
        switched += locked.values_list("group_id", flat=True)
        block.update(state=new)
    if switched:
        audit_log.write(
            SWITCHED_ON if new == State.IN_USE else SWITCHED_OFF,
            user.get_username(),
            groups=len(switched),
            **audit_log.named(switched, filters),
        )
    return len(switched)


def _values(group: ChatGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "type": group.type,
        "member_count": group.member_count,
        "state": group.state,
    }
