"""The tables and pictures of docs/performance.md, and the figures that are kept."""

import math
from xml.etree import ElementTree

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks.catalogue import BENCHMARKS, Benchmark
from tests.benchmarks.growth import sizes
from tests.benchmarks.growth_report import fit, growth_table, picture
from tests.benchmarks.report import Figure, number
from tests.benchmarks.results import (
    DOCUMENT,
    MARKED,
    Result,
    compared,
    filled,
    keep,
    pictures,
    read,
)

pytestmark = pytest.mark.one_database


def figure(value: float, name: str = "pace", **kwargs) -> Figure:
    return Figure(name, "sqlite", value, "s", load=1.0, **kwargs)


def points(*values: float, work: str = "accept") -> list[Figure]:
    return [
        figure(value, f"{work}: {measure}", size=10**power)
        for measure in ("time", "disk")
        for power, value in enumerate(values, start=3)
    ]


def test_the_document_has_the_tables_of_the_kept_results():
    """Otherwise run ``python -m tests.benchmarks --write-docs``."""
    text = DOCUMENT.read_text("utf-8")

    assert filled(text, read()) == text


def test_the_pictures_are_those_of_the_kept_results():
    for name, image in pictures(read()).items():
        assert (DOCUMENT.parent / name).read_text("utf-8") == image
        assert f"({name})" in DOCUMENT.read_text("utf-8")


def test_every_kept_benchmark_is_in_one_table_of_the_document():
    shown = [
        name
        for _start, _kind, names, _end in MARKED.findall(DOCUMENT.read_text("utf-8"))
        for name in names.split()
    ]

    assert len(set(shown)) == len(shown)
    assert {result.benchmark for result in read()} <= set(shown)
    assert set(BENCHMARKS) <= set(shown)


def test_a_run_replaces_only_its_own_figures(tmp_path):
    path = tmp_path / "results.jsonl"
    first = Result("2026-11-30", "pace", figure(3.14159, target=4.0))
    keep([first, Result("2026-11-30", "drain", figure(2.0))], path)
    keep([Result("2026-12-01", "pace", figure(1.0))], path)
    keep([Result("2026-12-01", "pace", figure(0.5, target=1.0))], path)

    kept = [(one.run, one.benchmark, one.figure.value) for one in read(path)]

    assert kept == [
        ("2026-11-30", "pace", 3.142),
        ("2026-11-30", "drain", 2.0),
        ("2026-12-01", "pace", 0.5),
    ]
    assert read(path)[0].figure.target == 4.0


def test_the_newest_figure_has_the_one_of_the_run_before_beside_it():
    results = [
        Result("first", "pace", figure(3.0)),
        Result("second", "pace", figure(2.0)),
        Result("second", "drain", figure(9.0, "drain")),
        Result("third", "pace", figure(1.0, target=1.5, beside=0.5)),
    ]

    lines = compared(results, ["drain", "pace"]).splitlines()

    assert lines[0].startswith("| benchmark | database | figure | before | limit")
    assert lines[2:] == [
        "| drain | sqlite | 9 s | – | – | – | – | – | 1.0 | second |",
        "| pace | sqlite | 1 s | 2 s, second | 0.5 s | 2.00 | ≤ 1.5 s | yes | 1.0 | third |",
    ]
    assert "before" not in compared(results[2:3], ["drain"])


def test_only_what_is_between_the_comments_is_replaced():
    text = "A\n<!-- figures: pace -->\nold\n<!-- end -->\nB\n"

    made = filled(text, [Result("now", "pace", figure(1.0))])

    assert made.startswith("A\n<!-- figures: pace -->\n\n| benchmark |")
    assert made.endswith("|\n\n<!-- end -->\nB\n")
    assert "old" not in made
    assert filled(made, [Result("now", "pace", figure(1.0))]) == made


def test_the_exponent_is_the_slope_of_the_logarithms():
    factor, exponent = fit([(size, 0.5 * size**1.5) for size in (10, 1000, 10_000)])

    assert (factor, exponent) == (pytest.approx(0.5), pytest.approx(1.5))
    # No logarithm of nothing; no line through one point.
    assert fit([(10, 0.0), (100, 2.0), (1000, 20.0)])[1] == pytest.approx(1)
    assert math.isnan(fit([(10, 1.0)])[1])


def test_the_table_of_growth_says_what_is_extrapolated():
    made = growth_table(points(1, 10, 100)).splitlines()

    assert made[0].endswith("| extrapolated: ten times the largest |")
    assert made[2] == (
        "| accept | sqlite | 1,000 – 100,000 | 1 – 100 s, n^1.00 | – | – "
        "| 1 – 100 s, n^1.00 | about 1,000 s, about 1,000 s |"
    )


def test_a_picture_has_a_line_for_each_work_and_a_description():
    image = picture([*points(1, 10), *points(0, 5, work="<check>")], "time")
    svg = ElementTree.fromstring(image)  # noqa: S314  our own text
    names = {child.tag.rpartition("}")[2] for child in svg}
    lines = svg.findall("{http://www.w3.org/2000/svg}polyline")

    assert {"title", "desc", "style"} <= names
    assert "prefers-color-scheme:dark" in image
    assert "&lt;check&gt; on sqlite: 0 s at 1,000, 5 s at 10,000" in image
    # Nothing has no place on a logarithmic axis.
    assert [len(line.get("points").split()) for line in lines] == [2, 1]


@pytest.mark.parametrize(
    ("largest", "smallest", "expected"),
    [
        (100_000, 1000, [1000, 10_000, 100_000]),
        (240_000, 1000, [2400, 24_000, 240_000]),
        (100, 1000, [100]),
        (0, 1000, []),
    ],
)
def test_the_sizes_are_a_tenth_of_each_other(largest, smallest, expected):
    assert sizes(largest, smallest) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (99.96, "100"),
        (999.6, "1,000"),
        (27_912, "27,900"),
    ],
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_the_command_keeps_the_figures_and_prints_one_table(
    monkeypatch, capsys, tmp_path
):
    class NoPlace:
        def __init__(self, _home):
            pass

        def start(self):
            pass

        stop = start

    results: list[Result] = []
    written = []
    monkeypatch.setattr(command, "PLACES", {"sqlite": NoPlace})
    monkeypatch.setattr(command.results, "keep", results.extend)
    monkeypatch.setattr(
        command.results, "write_document", lambda: written.append(len(results))
    )
    monkeypatch.setattr(
        command,
        "BENCHMARKS",
        {
            "one": Benchmark(lambda _place: [figure(1.0, "one")], {}),
            "growth": Benchmark(lambda _place: points(1, 10), {}),
        },
    )

    assert command.main(["--keep", "--run", "trial"]) == 0

    assert [(one.run, one.benchmark) for one in results] == [
        ("trial", "one"),
        *[("trial", "growth")] * 4,
    ]
    assert written == [5]
    said = capsys.readouterr().out
    assert said.count("| benchmark |") == said.count("| work |") == 1
    assert "accept: time" not in said

    command.main(["--write-docs"])
    assert (written, len(results)) == ([5, 5], 5)
