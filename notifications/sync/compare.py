"""One group: what Tencent says of it, beside what we have."""

from dataclasses import dataclass, field
from typing import Any

from notifications.im.reading import GroupInfo
from notifications.models import ChatGroup, GroupType, SyncChange

GONE = 10010
NAME_MAX_LENGTH = 100
TYPE_MAX_LENGTH = 32
# A summary of Tencent's own words is enough to find the cause.
INFO_MAX_LENGTH = 300

Kind = SyncChange.Kind


@dataclass(slots=True)
class Comparison:
    """``group`` as it is to be: unsaved when ``is_new``, ``None`` if there is none.

    ``is_read``: Tencent vouched for it, or for its end. ``changes`` lack their run.
    """

    group: ChatGroup | None = None
    is_new: bool = False
    is_changed: bool = False
    is_read: bool = False
    members_changed: bool = False
    changes: list[SyncChange] = field(default_factory=list)

    def note(
        self, kind: SyncChange.Kind, group_id: str, name: str, **values: Any
    ) -> None:
        self.changes.append(
            SyncChange(kind=kind, group_id=group_id, name=name, **values)
        )


def compare(group_id: str, old: ChatGroup | None, info: GroupInfo | None) -> Comparison:
    """``info`` is ``None`` when Tencent left the group out of its answer."""
    found = Comparison(old)
    name = old.name if old else ""
    if info is None or (not info.error_code and not info.type):
        found.note(Kind.NOT_READ, group_id, name)
    elif info.error_code == GONE:
        _close(found)
    elif info.error_code:
        after = {"code": info.error_code, "info": info.error_info[:INFO_MAX_LENGTH]}
        found.note(Kind.NOT_READ, group_id, name, after=after)
    elif old is None:
        _add(found, group_id, info)
    else:
        _update(found, old, info)
    return found


def _close(found: Comparison) -> None:
    """What a person switched off stays so: it is not to come back by itself."""
    group = found.group
    found.is_read = True
    if group is None or group.state != ChatGroup.State.IN_USE:
        return
    group.state = ChatGroup.State.CLOSED
    found.is_changed = True
    found.note(Kind.CLOSED, group.group_id, group.name)


def _add(found: Comparison, group_id: str, info: GroupInfo) -> None:
    group = ChatGroup(
        group_id=group_id,
        name=_name(group_id, info),
        type=info.type[:TYPE_MAX_LENGTH],
        member_count=info.member_count or 0,
    )
    found.group, found.is_new, found.is_read = group, True, True
    after = {"name": group.name, "type": group.type}
    found.note(Kind.ADDED, group_id, group.name, after=after)
    _name_unknown_type(found, group)


def _update(found: Comparison, group: ChatGroup, info: GroupInfo) -> None:
    found.is_read = True
    before = _values(group)
    group.rename(_name(group.group_id, info))
    group.type = info.type[:TYPE_MAX_LENGTH]
    if group.state == ChatGroup.State.CLOSED:
        group.state = ChatGroup.State.IN_USE
    after = _values(group)
    if info.member_count is not None and info.member_count != group.member_count:
        group.member_count = info.member_count
        found.members_changed = True
    different = [name for name in after if before[name] != after[name]]
    found.is_changed = bool(different) or found.members_changed
    if different:
        found.note(
            Kind.REOPENED if "state" in different else Kind.CHANGED,
            group.group_id,
            group.name,
            before={name: before[name] for name in different},
            after={name: after[name] for name in different},
        )
    if "type" in different:
        _name_unknown_type(found, group)


def _name_unknown_type(found: Comparison, group: ChatGroup) -> None:
    if group.type not in GroupType.values:
        found.note(
            Kind.UNKNOWN_TYPE, group.group_id, group.name, after={"type": group.type}
        )


def _name(group_id: str, info: GroupInfo) -> str:
    return info.name[:NAME_MAX_LENGTH].strip() or group_id


def _values(group: ChatGroup) -> dict[str, str]:
    return {"name": group.name, "type": group.type, "state": group.state}
