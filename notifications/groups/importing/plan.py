"""The plan of an import: differences between a file and the existing groups."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from notifications.db.expressions import InList
from notifications.groups.importing.parse import GroupFile
from notifications.groups.importing.rows import (
    ParsedBlock,
    Row,
    RowProblem,
    parse_rows,
    unknown_type,
)
from notifications.models import ChatGroup, Label

SHOWN = 200  # of the new groups, the changed groups and the errors, each


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
class PlannedBlock:
    """What an import does with consecutive lines of a file."""

    new: list[Row] = field(default_factory=list)
    changed: list[ChangedGroup] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)  # group IDs
    problems: list[RowProblem] = field(default_factory=list)
    # That neither exist nor are in a block before it.
    new_labels: list[str] = field(default_factory=list)


class Plan:
    """Counts of an import, and the first ``SHOWN`` groups and errors of its preview.

    ``has_digest``: whether it is identified later, which takes time for each group.
    """

    def __init__(self, *, has_digest: bool = True) -> None:
        self.added = 0
        self.updated = 0
        self.unchanged = 0
        self.rejected = 0  # lines with errors
        self.errors = 0
        self.new: list[Row] = []
        self.changed: list[ChangedGroup] = []
        self.problems: list[RowProblem] = []
        self.new_labels: list[str] = []  # all
        self._has_digest = has_digest
        self._hash = hashlib.sha256()

    def add(self, block: PlannedBlock) -> None:
        self.added += len(block.new)
        self.updated += len(block.changed)
        self.unchanged += len(block.unchanged)
        self.rejected += len({problem.line for problem in block.problems})
        self.errors += len(block.problems)
        self.new += block.new[: SHOWN - len(self.new)]
        self.changed += block.changed[: SHOWN - len(self.changed)]
        self.problems += block.problems[: SHOWN - len(self.problems)]
        self.new_labels += block.new_labels
        if self._has_digest:
            changes = [(one.group.pk, one.differences) for one in block.changed]
            content = (block.new, changes, block.unchanged, self.rejected)
            self._hash.update(repr(content).encode())

    @property
    def written(self) -> int:
        """Number of groups that are added or changed."""
        return self.added + self.updated

    @property
    def counts(self) -> dict[str, Any]:
        """Counts for the audit entry and the command."""
        names = ("added", "updated", "unchanged", "rejected")
        return {name: getattr(self, name) for name in names}

    @property
    def digest(self) -> str:
        """Equal for two plans that write the same values over the same groups."""
        return self._hash.hexdigest()


def plan(file: GroupFile) -> Plan:
    """Compare a file with the existing groups, without writing."""
    result = Plan()
    for block in plan_blocks(file):
        result.add(block)
    return result


def plan_blocks(file: GroupFile) -> Iterator[PlannedBlock]:
    """Compare a file with the existing groups, some thousand lines at a time.

    A group is on one line of the file only. So the caller may write a block before it
    takes the next one.
    """
    labels = _LabelIndex("labels" in file.columns)
    for parsed in parse_rows(file):
        yield _plan_block(parsed, labels)


def _plan_block(parsed: ParsedBlock, labels: "_LabelIndex") -> PlannedBlock:
    block = PlannedBlock(problems=list(parsed.problems))
    groups = _existing_groups(parsed.rows)
    labels.read(groups)
    for row in parsed.rows:
        group = groups.get(row.group_id)
        # An unknown type is valid only for a group that has it already.
        if not row.has_known_type and (group is None or group.type != row.type):
            block.problems.append(unknown_type(row))
        elif group is None:
            block.new.append(row)
        elif differences := [
            *_differences(group, row),
            *labels.differences(group.pk, row),
        ]:
            block.changed.append(ChangedGroup(group, row, differences))
        else:
            block.unchanged.append(group.group_id)
    block.problems.sort(key=lambda problem: problem.line)
    rows = (*block.new, *(changed.row for changed in block.changed))
    block.new_labels = labels.take_missing(rows)
    return block


def _existing_groups(rows: Sequence[Row]) -> dict[str, ExistingGroup]:
    groups = ChatGroup.objects.filter(
        InList("group_id", [row.group_id for row in rows])
    )
    values = groups.order_by().values_list(*ExistingGroup._fields)
    return {group.group_id: group for group in map(ExistingGroup._make, values)}


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
    """Labels before the import; makes no query if the file has no labels."""

    def __init__(self, is_used: bool) -> None:
        self._is_used = is_used
        labels = Label.objects.order_by() if is_used else Label.objects.none()
        names = labels.values_list("name", flat=True)
        self._names = {name.lower(): name for name in names}  # by lower-case name
        self._missing: set[str] = set()
        self._by_group: dict[int, dict[str, str]] = {}  # likewise, by key of the group

    def read(self, groups: Collection[str]) -> None:
        """Read the labels of the groups with these IDs, and forget those before."""
        self._by_group = {}
        if not self._is_used or not groups:
            return
        links = ChatGroup.labels.through.objects.filter(
            InList("chatgroup__group_id", list(groups))
        )
        for group, name in links.order_by().values_list("chatgroup_id", "label__name"):
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

    def take_missing(self, rows: Iterable[Row]) -> list[str]:
        """Labels of the rows that do not exist, and were not returned before."""
        labels: dict[str, str] = {}
        for row in rows:
            for label in row.labels or ():
                labels.setdefault(label.lower(), label)
        missing = labels.keys() - self._names.keys() - self._missing
        self._missing |= missing
        return [label for key, label in labels.items() if key in missing]
