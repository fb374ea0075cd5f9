"""The report of a benchmark: each figure with its limit or baseline of the same run."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

COLUMNS = [
    "benchmark", "database", "figure", "limit or bare loop, same run", "ratio",
    "to reach", "reached", "load",
]  # fmt: skip
DASH = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. ``beside`` is the physical limit or the bare loop, in the same unit.

    ``target`` is compared with the ratio when ``of_ratio``, else with the figure;
    ``at_least`` says in which direction. ``size`` marks a point of the growth benchmark.
    """

    name: str
    place: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    beside: float | None = None
    of_ratio: bool = False
    remark: str = ""
    size: int | None = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def ratio(self) -> float:
        return self.value / self.beside if self.beside else math.nan

    @property
    def is_reached(self) -> bool | None:
        """``None`` without a target."""
        if self.target is None:
            return None
        seen = self.ratio if self.of_ratio else self.value
        return seen >= self.target if self.at_least else seen <= self.target

    def measured(self) -> str:
        remark = f" ({self.remark})" if self.remark else ""
        return f"{number(self.value)} {self.unit}{remark}"

    def compared(self) -> list[str]:
        """The cells about the limit or bare loop, and about the target."""
        target = DASH
        if self.target is not None:
            sign = "≥" if self.at_least else "≤"
            unit = "× the limit" if self.of_ratio else self.unit
            target = f"{sign} {number(self.target)} {unit}"
        return [
            f"{number(self.beside)} {self.unit}" if self.beside else DASH,
            f"{self.ratio:.2f}" if self.beside else DASH,
            target,
            {True: "yes", False: "**no**", None: DASH}[self.is_reached],
            f"{self.load:.1f}",
        ]

    def cells(self) -> list[str]:
        return [self.name, self.place, self.measured(), *self.compared()]


def table(figures: Sequence[Figure]) -> str:
    return markdown(COLUMNS, [figure.cells() for figure in figures])


def markdown(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    cells = [columns, ["---"] * len(columns), *lines]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def number(value: float) -> str:
    """Three significant digits, and never an exponent."""
    rounded = float(f"{value:.3g}")
    if abs(rounded) >= 1000:
        return f"{rounded:,.0f}"
    return f"{rounded:.3g}" if abs(rounded) >= 0.0001 else f"{rounded:.0f}"


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
