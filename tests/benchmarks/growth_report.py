"""How time, CPU, memory and disk grow with the size: a table, and pictures in SVG.

A point is a figure with a ``size``; its name is ``work: measure``. The exponent is the
slope of a least squares fit through the logarithms of size and figure: 1 is linear.
"""

import math
from collections.abc import Sequence
from html import escape

from tests.benchmarks.report import DASH, Figure, markdown, number

MEASURES = ["time", "CPU", "memory", "disk"]
DRAWN = ["time", "memory", "disk"]  # a picture for each
WIDTH, HEIGHT, LEFT, TOP, PANEL, ROWS = 960, 430, 60, 50, 400, 220
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#7f7f7f", "#56b4e9"]
Point = tuple[int, float]
# work and database → measure → its points and unit
Lines = dict[tuple[str, str], dict[str, tuple[list[Point], str]]]


def lines_of(figures: Sequence[Figure]) -> Lines:
    lines: Lines = {}
    for figure in figures:
        if figure.size is not None:
            work, measure = figure.name.rsplit(": ", 1)
            measures = lines.setdefault((work, figure.place), {})
            points, _unit = measures.setdefault(measure, ([], figure.unit))
            points.append((figure.size, figure.value))
    return lines


def fit(points: Sequence[Point]) -> tuple[float, float]:
    """``(factor, exponent)`` of ``factor × size ** exponent``; nan for too few points."""
    logs = [(math.log(size), math.log(value)) for size, value in points if value > 0]
    if len(logs) < 2:
        return math.nan, math.nan
    x = sum(one for one, _y in logs) / len(logs)
    y = sum(one for _x, one in logs) / len(logs)
    slope = sum((a - x) * (b - y) for a, b in logs) / sum(
        (a - x) ** 2 for a, _b in logs
    )
    return math.exp(y - slope * x), slope


def growth_table(figures: Sequence[Figure]) -> str:
    """The smallest and the largest figure of each work, with the exponent."""
    rows = []
    for (work, place), measures in lines_of(figures).items():
        sizes = [size for points, _unit in measures.values() for size, _v in points]
        rows.append(
            [
                work,
                place,
                f"{min(sizes):,} – {max(sizes):,}",
                *(
                    _cell(*measures[one]) if one in measures else DASH
                    for one in MEASURES
                ),
                _beyond(measures),
            ]
        )
    columns = ["work", "database", "measured sizes", *MEASURES,
               "extrapolated: ten times the largest"]  # fmt: skip
    return markdown(columns, rows)


def _cell(points: Sequence[Point], unit: str) -> str:
    exponent = fit(points)[1]
    grows = "" if math.isnan(exponent) else f", n^{exponent:.2f}"
    return f"{number(points[0][1])} – {number(points[-1][1])} {unit}{grows}"


def _beyond(measures: dict[str, tuple[list[Point], str]]) -> str:
    """Time and disk, with the exponent of the last two points.

    Fixed costs make the exponent of all points too low for large sizes.
    """
    texts = []
    for name in ("time", "disk"):
        points, unit = measures.get(name, ([], ""))
        exponent = fit(points[-2:])[1]
        if not math.isnan(exponent):
            value = float(f"{points[-1][1] * 10**exponent:.2g}")
            texts.append(f"about {number(value)} {unit}")
    return ", ".join(texts) or DASH


def picture(figures: Sequence[Figure], measure: str) -> str:
    """A panel per database with logarithmic axes; readable in light and dark."""
    drawn = {
        key: measures[measure]
        for key, measures in lines_of(figures).items()
        if measure in measures
    }
    works = list(dict.fromkeys(work for work, _place in drawn))
    units = {unit for _points, unit in drawn.values()} or {""}
    points = [p for points, _unit in drawn.values() for p in points if p[1] > 0]
    x_end, y_end = _decades([p[0] for p in points]), _decades([p[1] for p in points])
    title = f"{measure} by size, {' or '.join(units)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'role="img" aria-labelledby="title desc" font-family="sans-serif" font-size="12">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(_description(drawn))}</desc>',
        "<style>text{fill:#222}.grid{stroke:#ccc}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#555}}</style>",
    ]
    for panel, place in enumerate(dict.fromkeys(place for _work, place in drawn)):
        left = LEFT + panel * (PANEL + LEFT)

        def x(size: float, left: int = left) -> float:
            return left + _share(size, x_end) * (PANEL - 20)

        def y(value: float) -> float:
            return TOP + (1 - _share(value, y_end)) * ROWS

        parts.append(_text(left, TOP - 20, f"{place}: {title}"))
        for power in range(x_end[0], x_end[1] + 1):
            at = x(10**power)
            parts.append(_line(at, TOP, at, TOP + ROWS))
            parts.append(_text(at, TOP + ROWS + 16, _power(power), "middle"))
        for power in range(y_end[0], y_end[1] + 1):
            at = y(10**power)
            parts.append(_line(left, at, x(10 ** x_end[1]), at))
            parts.append(_text(left - 6, at + 4, _power(power), "end"))
        for number_, work in enumerate(works):
            own = [p for p in drawn.get((work, place), ([], ""))[0] if p[1] > 0]
            colour = COLOURS[number_ % len(COLOURS)]
            path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in own)
            dash = ' stroke-dasharray="6 3"' if number_ >= len(COLOURS) else ""
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                         f'stroke-width="2"{dash}/>')  # fmt: skip
            parts += [f'<circle cx="{x(s):.1f}" cy="{y(v):.1f}" r="3" fill="{colour}"/>'
                      for s, v in own]  # fmt: skip
    for number_, work in enumerate(works):
        at_x, at_y = LEFT + number_ % 3 * 290, TOP + ROWS + 50 + number_ // 3 * 22
        colour = COLOURS[number_ % len(COLOURS)]
        dash = ' stroke-dasharray="6 3"' if number_ >= len(COLOURS) else ""
        parts.append(
            f'<path d="M{at_x} {at_y}h26" stroke="{colour}" stroke-width="3"{dash}/>'
        )
        parts.append(_text(at_x + 32, at_y + 4, work))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low = math.floor(math.log10(min(values, default=1)))
    return low, max(low + 1, math.ceil(math.log10(max(values, default=10)) - 0.01))


def _share(value: float, ends: tuple[int, int]) -> float:
    """Where on the axis, from 0 to 1."""
    return (math.log10(value) - ends[0]) / (ends[1] - ends[0])


def _description(drawn: dict[tuple[str, str], tuple[list[Point], str]]) -> str:
    return ". ".join(
        f"{work} on {place}: "
        + ", ".join(f"{number(v)} {unit} at {s:,}" for s, v in points)
        for (work, place), (points, unit) in drawn.items()
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="grid" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _power(power: int) -> str:
    """10, 1,000, 0.01"""
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"
