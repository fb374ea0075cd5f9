"""The chat groups of the sandbox: a CSV file, or the built-in set."""

import csv
from dataclasses import dataclass
from pathlib import Path

from notifications.sandbox.faults import check_fault

BUILT_IN = Path(__file__).with_name("groups.csv")


@dataclass(slots=True)
class SandboxGroup:
    group_id: str
    type: str
    name: str = ""
    fault: str = ""
    member_count: int = 0
    members: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """The number of members: ``member_count``, or the named ones if there are more."""
        return max(self.member_count, len(self.members))


def load_groups(path: Path = BUILT_IN) -> list[SandboxGroup]:
    """Read a CSV file ``group_id,type,name[,member_count][,members][,fault]``.

    ``members`` are accounts separated by spaces. Raises ``ValueError`` with the number
    of an invalid line, and ``OSError``.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        groups = []
        for row in reader:
            try:
                groups.append(
                    SandboxGroup(
                        row["group_id"],
                        row["type"],
                        row["name"],
                        check_fault(row.get("fault") or ""),
                        int(row.get("member_count") or 0),
                        frozenset((row.get("members") or "").split()),
                    )
                )
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
    return groups
