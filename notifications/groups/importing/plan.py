"""The plan of an import: differences between a file and the existing groups."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from notifications.groups.importing.rows import (
    ParsedRows,
    Row,
    RowProblem,
    unknown_type,
)
from notifications.models import ChatGroup, Label

BLOCK = 500


class ExistingGroup(NamedTuple):
    """Fields of a group; creating model instances takes several times as long."""

    pk: int
    group_id: str
    name: str
    former_names: str
    type: str
    member_count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """``column``: name in ``parse.COLUMNS``; labels are sorted names."""

    column: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class ChangedGroup:
    """An existing group and the row of the file that changes it."""

    group: ExistingGroup
    row: Row
    differences: list[Difference]

    @property
    def has_other_labels(self) -> bool:
        return any(each.column == "labels" for each in self.differences)


@dataclass(slots=True)
class Plan:
    new: list[Row] = field(default_factory=list)
    changed: list[ChangedGroup] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)  # primary keys
    problems: list[RowProblem] = field(default_factory=list)
    new_labels: list[str] = field(default_factory=list)

    @property
    def written(self) -> int:
        """Number of groups that are added or changed."""
        return len(self.new) + len(self.changed)

    @property
    def rejected(self) -> int:
        """Number of lines with errors."""
        return len({problem.line for problem in self.problems})

    @property
    def counts(self) -> dict[str, Any]:
        """Counts for the audit entry and the command."""
        return {
            "added": len(self.new),
            "updated": len(self.changed),
            "unchanged": len(self.unchanged),
            "rejected": self.rejected,
        }

    @property
    def digest(self) -> str:
        """Equal for two plans that write the same values over the same groups."""
        digest = hashlib.sha256()
        for row in self.new:
            digest.update(repr(row).encode())
        for changed in self.changed:
            digest.update(repr((changed.group.pk, changed.differences)).encode())
        digest.update(repr((self.unchanged, self.rejected)).encode())
        return digest.hexdigest()


def plan(parsed: ParsedRows) -> Plan:
    """Compare a file with the existing groups, without writing."""
    result = Plan(problems=list(parsed.problems))
    groups = _existing_groups(parsed.rows)
    labels = _LabelIndex(parsed.rows, groups)
    for row in parsed.rows:
        group = groups.get(row.group_id)
        # An unknown type is valid only for a group that has it already.
        if not row.has_known_type and (group is None or group.type != row.type):
            result.problems.append(unknown_type(row))
        elif group is None:
            result.new.append(row)
        elif differences := [
            *_differences(group, row),
            *labels.differences(group.pk, row),
        ]:
            result.changed.append(ChangedGroup(group, row, differences))
        else:
            result.unchanged.append(group.pk)
    result.problems.sort(key=lambda problem: problem.line)
    rows = (*result.new, *(changed.row for changed in result.changed))
    result.new_labels = labels.missing(rows)
    return result


def _existing_groups(rows: Sequence[Row]) -> dict[str, ExistingGroup]:
    ids = {row.group_id for row in rows}
    groups = ChatGroup.objects.order_by()
    # One query: for a few groups by their IDs, otherwise for all groups.
    if len(ids) <= BLOCK:
        groups = groups.filter(group_id__in=ids)
    values = groups.values_list(*ExistingGroup._fields).iterator()
    existing = map(ExistingGroup._make, values)
    return {group.group_id: group for group in existing if group.group_id in ids}


def _differences(group: ExistingGroup, row: Row) -> list[Difference]:
    pairs = [
        ("type", group.type, row.type),
        # Names from Tencent may have spaces around them; names from a file have none.
        ("name", group.name.strip(), row.name),
        ("member_count", group.member_count, row.member_count),
    ]
    return [
        Difference(column, old, new)
        for column, old, new in pairs
        if new is not None and new != old
    ]


class _LabelIndex:
    """Existing labels and their groups; makes no query if the file has no labels."""

    def __init__(self, rows: Sequence[Row], groups: Collection[str]) -> None:
        self._names: dict[str, str] = {}  # by lower-case name
        self._by_group: dict[int, dict[str, str]] = {}  # likewise, by key of the group
        if all(row.labels is None for row in rows):
            return
        names = dict(Label.objects.order_by().values_list("pk", "name"))
        self._names = {name.lower(): name for name in names.values()}
        links = ChatGroup.labels.through.objects.order_by()
        if len(groups) <= BLOCK:
            links = links.filter(chatgroup__group_id__in=groups)
        for group, label in links.values_list("chatgroup_id", "label_id").iterator():
            name = names[label]
            self._by_group.setdefault(group, {})[name.lower()] = name

    def differences(self, group: int, row: Row) -> list[Difference]:
        if row.labels is None:
            return []
        old = self._by_group.get(group, {})
        new = {label.lower(): label for label in row.labels}
        if old.keys() == new.keys():
            return []
        names = [self._names.get(key, label) for key, label in new.items()]
        return [Difference("labels", sorted(old.values()), sorted(names))]

    def missing(self, rows: Iterable[Row]) -> list[str]:
        """Labels of the rows that do not exist yet."""
        labels: dict[str, str] = {}
        for row in rows:
            for label in row.labels or ():
                labels.setdefault(label.lower(), label)
        return [label for key, label in labels.items() if key not in self._names]
