"""The chat groups that the stand-in knows: a CSV file, or the built-in set."""

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
        """How many members it has, by name or by number."""
        return max(self.member_count, len(self.members))


def load_groups(path: Path = BUILT_IN) -> list[SandboxGroup]:
    """Groups of a file ``group_id,type,name[,member_count][,members][,fault]``.

    ``members`` are accounts, with spaces between them.

    Raises ``ValueError`` with the line that is wrong, ``OSError`` without the file.
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
