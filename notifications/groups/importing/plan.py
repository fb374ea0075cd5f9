"""What an import of a file would do: the file beside the groups that there are."""

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
    """What matters of a group that there is; a model each takes several times as long."""

    pk: int
    group_id: str
    name: str
    former_names: str
    type: str
    member_count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """``column`` is one of ours; labels are sorted names, other values as stored."""

    column: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Changed:
    """A group as it is, and how the file would have it."""

    group: ExistingGroup
    row: Row
    differences: list[Difference]

    @property
    def has_other_labels(self) -> bool:
        return any(found.column == "labels" for found in self.differences)


@dataclass(slots=True)
class Plan:
    new: list[Row] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)  # row numbers of groups
    problems: list[RowProblem] = field(default_factory=list)
    new_labels: list[str] = field(default_factory=list)

    @property
    def written(self) -> int:
        """How many groups are added or changed."""
        return len(self.new) + len(self.changed)

    @property
    def rejected(self) -> int:
        """How many lines cannot be used."""
        return len({problem.line for problem in self.problems})

    @property
    def counts(self) -> dict[str, Any]:
        """As the audit entry and the command have them."""
        return {
            "added": len(self.new),
            "updated": len(self.changed),
            "unchanged": len(self.unchanged),
            "rejected": self.rejected,
        }

    @property
    def digest(self) -> str:
        """Equal as long as the same would be written over the same."""
        found = hashlib.sha256()
        for row in self.new:
            found.update(repr(row).encode())
        for changed in self.changed:
            found.update(repr((changed.group.pk, changed.differences)).encode())
        found.update(repr((self.unchanged, self.rejected)).encode())
        return found.hexdigest()


def plan(reading: ParsedRows) -> Plan:
    """Compare a file with the groups; writes nothing."""
    made = Plan(problems=list(reading.problems))
    known = _known(reading.rows)
    labels = _Labels(reading.rows, known)
    for row in reading.rows:
        group = known.get(row.group_id)
        # A type that came after us stays where it is; nothing else can be done with it.
        if not row.has_known_type and (group is None or group.type != row.type):
            made.problems.append(unknown_type(row))
        elif group is None:
            made.new.append(row)
        elif found := [*_differences(group, row), *labels.differences(group.pk, row)]:
            made.changed.append(Changed(group, row, found))
        else:
            made.unchanged.append(group.pk)
    made.problems.sort(key=lambda problem: problem.line)
    used = (*made.new, *(changed.row for changed in made.changed))
    made.new_labels = labels.missing(used)
    return made


def _known(rows: Sequence[Row]) -> dict[str, ExistingGroup]:
    wanted = {row.group_id for row in rows}
    groups = ChatGroup.objects.order_by()
    # One query: of few groups by their IDs, else of all of them.
    if len(wanted) <= BLOCK:
        groups = groups.filter(group_id__in=wanted)
    found = map(
        ExistingGroup._make, groups.values_list(*ExistingGroup._fields).iterator()
    )
    return {group.group_id: group for group in found if group.group_id in wanted}


def _differences(group: ExistingGroup, row: Row) -> list[Difference]:
    pairs = [
        ("type", group.type, row.type),
        # Spaces around a name of Tencent's are none of the file's.
        ("name", group.name.strip(), row.name),
        ("member_count", group.member_count, row.member_count),
    ]
    return [
        Difference(column, old, new)
        for column, old, new in pairs
        if new is not None and new != old
    ]


class _Labels:
    """The labels there are, and those on the groups; not asked where no row has any."""

    def __init__(self, rows: Sequence[Row], groups: Collection[str]) -> None:
        self._names: dict[str, str] = {}  # by name in small letters
        self._on: dict[int, dict[str, str]] = {}  # likewise, by row number of the group
        if all(row.labels is None for row in rows):
            return
        names = dict(Label.objects.order_by().values_list("pk", "name"))
        self._names = {name.lower(): name for name in names.values()}
        put = ChatGroup.labels.through.objects.order_by()
        if len(groups) <= BLOCK:
            put = put.filter(chatgroup__group_id__in=groups)
        for group, label in put.values_list("chatgroup_id", "label_id").iterator():
            name = names[label]
            self._on.setdefault(group, {})[name.lower()] = name

    def differences(self, group: int, row: Row) -> list[Difference]:
        if row.labels is None:
            return []
        old = self._on.get(group, {})
        new = {label.lower(): label for label in row.labels}
        if old.keys() == new.keys():
            return []
        names = [self._names.get(key, label) for key, label in new.items()]
        return [Difference("labels", sorted(old.values()), sorted(names))]

    def missing(self, rows: Iterable[Row]) -> list[str]:
        """Labels that the rows have and nobody has made."""
        wanted: dict[str, str] = {}
        for row in rows:
            for label in row.labels or ():
                wanted.setdefault(label.lower(), label)
        return [label for key, label in wanted.items() if key not in self._names]
