"""The chat groups of the sandbox: a CSV file, or the built-in set."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from notifications.sandbox.faults import check_fault

BUILT_IN = Path(__file__).with_name("groups.csv")


# The calls that a fault of a group concerns.
CALLS = (
    "send_group_system_notification",
    "send_group_msg",
    "group_msg_recall",
    "modify_group_msg",
)


@dataclass(slots=True)
class SandboxGroup:
    """``fault`` is that of each of the ``CALLS`` without a fault in ``call_faults``."""

    group_id: str
    type: str
    name: str = ""
    fault: str = ""
    member_count: int = 0
    members: frozenset[str] = frozenset()
    call_faults: dict[str, str] = field(default_factory=dict)

    def set_fault(self, fault: str, command: str = "") -> None:
        """Set the fault of one call, or of all; raises ``ValueError``."""
        check_fault(fault)
        if command and command not in CALLS:
            raise ValueError(f"“{command}” is none of: {', '.join(CALLS)}.")
        if not command:
            self.fault = fault
        elif fault:
            self.call_faults[command] = fault
        else:
            self.call_faults.pop(command, None)

    def describe_faults(self) -> str:
        """What ``_read_faults`` reads."""
        of_calls = [f"{name}={fault}" for name, fault in self.call_faults.items()]
        return " ".join([self.fault, *of_calls]).strip()

    @property
    def size(self) -> int:
        """The number of members: ``member_count``, or the named ones if there are more."""
        return max(self.member_count, len(self.members))


def load_groups(path: Path = BUILT_IN) -> list[SandboxGroup]:
    """Read a CSV file ``group_id,type,name[,member_count][,members][,fault]``.

    ``members`` are accounts separated by spaces, ``fault`` is a fault, or several of
    single calls, such as ``group_msg_recall=reset_after``, separated by spaces. Raises
    ``ValueError`` with the number of an invalid line, and ``OSError``.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        groups = []
        for row in reader:
            try:
                group = SandboxGroup(
                    row["group_id"],
                    row["type"],
                    row["name"],
                    member_count=int(row.get("member_count") or 0),
                    members=frozenset((row.get("members") or "").split()),
                )
                _read_faults(group, row.get("fault") or "")
                groups.append(group)
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
    return groups


def _read_faults(group: SandboxGroup, text: str) -> None:
    for word in text.split():
        command, equals, fault = word.rpartition("=")
        if equals and not command:
            raise ValueError(f"“{word}” has no call before the equals sign.")
        group.set_fault(fault, command)
