"""The results that are kept, docs/performance.jsonl, and docs/performance.md from them.

A line of the file is a figure with its benchmark and its ``run``, a date or another name.
The document has a pair of comments around each table; the first one names its benchmarks:

    <!-- figures: pace limit -->
    <!-- end -->
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.growth_report import DRAWN, growth_table, picture
from tests.benchmarks.report import COLUMNS, DASH, Figure, markdown
from tests.environment import ROOT

RESULTS = ROOT / "docs/performance.jsonl"
DOCUMENT = ROOT / "docs/performance.md"
MARKED = re.compile(r"(<!-- (figures|growth): ([^>]+) -->\n).*?(<!-- end -->)", re.S)


@dataclass(frozen=True, slots=True)
class Result:
    run: str
    benchmark: str
    figure: Figure

    @property
    def source(self) -> tuple[str, str, str]:
        return self.run, self.benchmark, self.figure.place


def read(path: Path = RESULTS) -> list[Result]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    results = map(json.loads, lines)
    return [
        Result(one.pop("run"), one.pop("benchmark"), Figure(**one)) for one in results
    ]


def keep(results: Sequence[Result], path: Path = RESULTS) -> None:
    """Add ``results``, instead of those of the same run, benchmark and database."""
    replaced = {result.source for result in results}
    before = [result for result in read(path) if result.source not in replaced]
    path.write_text("".join(map(_line, [*before, *results])), "utf-8")


def _line(result: Result) -> str:
    fields = {"run": result.run, "benchmark": result.benchmark}
    for name, value in asdict(result.figure).items():
        is_measured = name in ("value", "beside", "load") and value is not None
        fields[name] = float(f"{value:.4g}") if is_measured else value
    return json.dumps(fields, ensure_ascii=False) + "\n"


def write_document(document: Path = DOCUMENT, path: Path = RESULTS) -> None:
    """Replace the tables of the document, and the pictures beside it."""
    results = read(path)
    document.write_text(filled(document.read_text("utf-8"), results), "utf-8")
    for name, image in pictures(results).items():
        (document.parent / name).write_text(image, "utf-8")


def filled(text: str, results: Sequence[Result]) -> str:
    """The text of the document with the tables of ``results``."""

    def table(match: re.Match[str]) -> str:
        start, kind, names, end = match.groups()
        chosen = [one for one in results if one.benchmark in names.split()]
        if kind == "growth":
            made = growth_table(_newest(results, names.split()))
        else:
            made = compared(chosen, names.split())
        return f"{start}\n{made}\n\n{end}"

    return MARKED.sub(table, text)


def pictures(results: Sequence[Result]) -> dict[str, str]:
    """The content of each picture by its name."""
    points = _newest(results, ["growth"])
    return {f"performance-{measure}.svg": picture(points, measure) for measure in DRAWN}


def compared(results: Sequence[Result], names: Sequence[str]) -> str:
    """The newest figure of each name, beside the one of the run before, if any."""
    newest = {id(figure) for figure in _newest(results, names)}
    last = {
        (r.figure.name, r.figure.place): r
        for r in results
        if id(r.figure) not in newest
    }
    shown = sorted(
        (result for result in results if id(result.figure) in newest),
        key=lambda result: names.index(result.benchmark),
    )
    lines = []
    for result in shown:
        figure = result.figure
        older = last.get((figure.name, figure.place))
        before = f"{older.figure.measured()}, {older.run}" if older else DASH
        lines.append([figure.name, figure.place, figure.measured(), before,
                      *figure.compared(), result.run])  # fmt: skip
    columns = [*COLUMNS[:3], "before", *COLUMNS[3:], "run"]
    if all(line[3] == DASH for line in lines):
        lines = [[*line[:3], *line[4:]] for line in lines]
        columns.remove("before")
    return markdown(columns, lines)


def _newest(results: Iterable[Result], names: Sequence[str]) -> list[Figure]:
    """The figures of the last run of each of the benchmarks on each database."""
    runs: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if result.benchmark not in names:
            continue
        before = runs.setdefault((result.benchmark, result.figure.place), [])
        if before and before[-1].run != result.run:
            before.clear()
        before.append(result)
    return [result.figure for newest in runs.values() for result in newest]
