"""Which chat groups a notification is for, at this moment."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from notifications.im.rules import is_group_id
from notifications.models import ChatGroup, Notification

# SQLite takes 250,000 variables in one statement, older builds 999.
BLOCK = 500


@dataclass(frozen=True, slots=True)
class Audience:
    """The groups in the order they were chosen, and the chosen that cannot be used."""

    groups: Sequence[ChatGroup]
    unknown: Sequence[str] = field(default_factory=list)  # IDs that are in no list
    unusable: Sequence[ChatGroup] = field(default_factory=list)  # off or closed

    @property
    def digest(self) -> str:
        """Equal as long as the same groups with the same types would be sent to."""
        lines = sorted(f"{group.group_id}\t{group.type}" for group in self.groups)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def all_members_only(self) -> list[ChatGroup]:
        """Groups for which Tencent refuses named recipients."""
        return [group for group in self.groups if group.all_members_only]

    @property
    def member_count(self) -> int:
        """How many people at most; those who are offline will not see it."""
        return sum(group.member_count for group in self.groups)


def audience(kind: str, values: Sequence[str]) -> Audience:
    """Resolve a choice: every group, groups of some types, or the groups listed."""
    if kind == Notification.Audience.EVERY:
        return Audience(list(ChatGroup.objects.usable().order_by("name", "id")))
    if kind == Notification.Audience.TYPES:
        of_types = ChatGroup.objects.usable().filter(type__in=values)
        return Audience(list(of_types.order_by("name", "id")))
    found = _by_id(values)
    chosen = [found[value] for value in values if value in found]
    return Audience(
        groups=[g for g in chosen if g.state == ChatGroup.State.IN_USE],
        unknown=[value for value in values if value not in found],
        unusable=[g for g in chosen if g.state != ChatGroup.State.IN_USE],
    )


def audience_of(notification: Notification) -> Audience:
    return audience(notification.audience, notification.audience_values)


def left_out(kind: str, values: Sequence[str]) -> QuerySet[ChatGroup]:
    """Groups that a choice of this kind would mean, were they not off or closed.

    Never any for groups that were chosen one by one: those are refused by name.
    """
    if kind == Notification.Audience.CHOSEN:
        return ChatGroup.objects.none()
    groups: QuerySet[ChatGroup] = ChatGroup.objects.exclude(
        state=ChatGroup.State.IN_USE
    ).order_by("name", "id")
    if kind == Notification.Audience.TYPES:
        return groups.filter(type__in=values)
    return groups


def known_ids(candidates: Iterable[str]) -> set[str]:
    """Those of ``candidates`` that are the ID of a group, in use or not."""
    return set(_by_id(candidates))


def _by_id(group_ids: Iterable[str]) -> dict[str, ChatGroup]:
    # What cannot be an ID is not asked for: PostgreSQL refuses a null character.
    wanted = [group_id for group_id in group_ids if is_group_id(group_id)]
    return {
        group.group_id: group
        for start in range(0, len(wanted), BLOCK)
        for group in ChatGroup.objects.filter(
            group_id__in=wanted[start : start + BLOCK]
        )
    }
