"""The mutations, read from the ``.toml`` files beside this one.

``[[mutation]]`` takes one protection away: in ``file``, ``old`` becomes ``new``, and each
of ``tests`` must fail. ``rows`` are the numbers of docs/asvs.md that the tests prove.
``database = "postgresql"`` runs them on PostgreSQL.

``[[none]]`` names rows, or one ``test`` of them, without a mutation, and why.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutation:
    rows: str
    file: str
    old: str
    new: str
    tests: list[str]
    database: str = "sqlite"

    @property
    def numbers(self) -> list[str]:
        return self.rows.split()


@dataclass(frozen=True)
class NoMutation:
    rows: str
    reason: str
    test: str = ""  # empty: every test of the rows

    def covers(self, number: str, test: str) -> bool:
        return number in self.rows.split() and self.test in ("", test)


_FILES = [
    tomllib.loads(path.read_text())
    for path in sorted(Path(__file__).parent.glob("*.toml"))
]
MUTATIONS = [Mutation(**entry) for file in _FILES for entry in file.get("mutation", [])]
NO_MUTATIONS = [
    NoMutation(**entry) for file in _FILES for entry in file.get("none", [])
]
