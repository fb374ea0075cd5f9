"""The report of a benchmark: each figure with its limit or baseline of the same run."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

COLUMNS = [
    "benchmark", "database", "figure", "limit or bare loop, same run", "ratio",
    "to reach", "reached", "load",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. ``beside`` is the physical limit or the bare loop, in the same unit.

    ``target`` is compared with the ratio when ``of_ratio``, else with the figure;
    ``at_least`` says in which direction.
    """

    name: str
    place: str
    value: float
    unit: str
    target: float
    at_least: bool = False
    beside: float | None = None
    of_ratio: bool = False
    remark: str = ""
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def ratio(self) -> float:
        return self.value / self.beside if self.beside else math.nan

    @property
    def is_reached(self) -> bool:
        seen = self.ratio if self.of_ratio else self.value
        return seen >= self.target if self.at_least else seen <= self.target

    def cells(self) -> list[str]:
        sign = "≥" if self.at_least else "≤"
        unit = "× the limit" if self.of_ratio else self.unit
        return [
            self.name,
            self.place,
            f"{self.value:.3g} {self.unit}"
            + (f" ({self.remark})" if self.remark else ""),
            f"{self.beside:.3g} {self.unit}" if self.beside else "–",
            f"{self.ratio:.2f}" if self.beside else "–",
            f"{sign} {self.target:g} {unit}",
            "yes" if self.is_reached else "no",
            f"{self.load:.1f}",
        ]


def table(figures: Sequence[Figure]) -> str:
    """Markdown."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(figure.cells() for figure in figures)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def most_in_a_second(clocks: Sequence[float]) -> int:
    """The largest number of moments within any second."""
    ordered = sorted(clocks)
    most = first = 0
    for last, clock in enumerate(ordered):
        while clock - ordered[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most
