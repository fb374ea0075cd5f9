"""Compare the details of one group from Tencent with the stored group, without a query."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from notifications.models import ChatGroup, GroupType, SyncChange
from notifications.models.groups import with_former_name
from notifications.tencent.calls.get_group_info import GroupInfo

GROUP_GONE = 10010  # error code

NAME_MAX_LENGTH = 100

TYPE_MAX_LENGTH = 32

# The beginning of ErrorInfo is enough to find the cause.
INFO_MAX_LENGTH = 300

Kind = SyncChange.Kind

IN_USE, CLOSED = ChatGroup.State.IN_USE.value, ChatGroup.State.CLOSED.value

KNOWN_TYPES = frozenset(GroupType.values)


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """The fields of a chat group that a sync reads and writes."""

    group_id: str
    name: str
    type: str
    member_count: int = 0
    state: str = IN_USE
    former_names: str = ""


class Change(NamedTuple):
    """The fields of a ``SyncChange``."""

    kind: str
    group_id: str
    name: str
    before: dict[str, str]
    after: dict[str, str | int]


@dataclass(slots=True)
class Comparison:
    """``group`` holds the new values; ``None`` if there is no such group.

    ``is_confirmed``: Tencent confirmed that the group exists, or that it is gone.
    """

    group: KnownGroup | None = None
    is_changed: bool = False
    is_confirmed: bool = False
    members_changed: bool = False
    changes: list[Change] = field(default_factory=list)


def compare(
    group_id: str, old: KnownGroup | None, info: GroupInfo | None
) -> Comparison:
    """``info`` is ``None`` if the response did not contain the group."""
    if info is None or (not info.error_code and not info.type):
        return _not_read(group_id, old, {})
    if info.error_code == GROUP_GONE:
        return _gone(old)
    if info.error_code:
        text = info.error_info[:INFO_MAX_LENGTH]
        return _not_read(group_id, old, {"code": info.error_code, "info": text})
    name = info.name[:NAME_MAX_LENGTH].strip() or group_id
    kind = info.type[:TYPE_MAX_LENGTH]
    if old is None:
        new = KnownGroup(group_id, name, kind, info.member_count or 0)
        after: dict[str, str | int] = {"name": name, "type": kind}
        added = Change(Kind.ADDED, group_id, name, {}, after)
        return Comparison(new, is_confirmed=True, changes=[added, *_unknown_type(new)])
    return _update(old, name, kind, info.member_count)


def _not_read(
    group_id: str, old: KnownGroup | None, after: dict[str, str | int]
) -> Comparison:
    name = old.name if old else ""
    return Comparison(old, changes=[Change(Kind.NOT_READ, group_id, name, {}, after)])


def _gone(old: KnownGroup | None) -> Comparison:
    """Close a group in use; a group that was switched off must not be reopened later."""
    if old is None or old.state != IN_USE:
        return Comparison(old, is_confirmed=True)
    return Comparison(
        replace(old, state=CLOSED),
        is_changed=True,
        is_confirmed=True,
        changes=[Change(Kind.CLOSED, old.group_id, old.name, {}, {})],
    )


def _update(
    old: KnownGroup, name: str, kind: str, member_count: int | None
) -> Comparison:
    members_changed = member_count is not None and member_count != old.member_count
    is_same = (name, kind) == (old.name, old.type) and old.state != CLOSED
    if is_same and not members_changed:
        return Comparison(old, is_confirmed=True)
    new = replace(
        old,
        name=name,
        type=kind,
        state=IN_USE if old.state == CLOSED else old.state,
        member_count=old.member_count if member_count is None else member_count,
        former_names=with_former_name(old.former_names, old.name, name),
    )
    comparison = Comparison(
        new, is_changed=True, is_confirmed=True, members_changed=members_changed
    )
    if not is_same:
        names = ("name", "type", "state")
        fields = [n for n in names if getattr(old, n) != getattr(new, n)]
        comparison.changes.append(
            Change(
                Kind.REOPENED if "state" in fields else Kind.CHANGED,
                new.group_id,
                new.name,
                {n: getattr(old, n) for n in fields},
                {n: getattr(new, n) for n in fields},
            )
        )
        if "type" in fields:
            comparison.changes += _unknown_type(new)
    return comparison


def _unknown_type(group: KnownGroup) -> list[Change]:
    if group.type in KNOWN_TYPES:
        return []
    after: dict[str, str | int] = {"type": group.type}
    return [Change(Kind.UNKNOWN_TYPE, group.group_id, group.name, {}, after)]
