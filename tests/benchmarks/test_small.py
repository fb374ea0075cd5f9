"""Every benchmark in its small form, and its failure if the measured code fails.

These tests ignore the figures: ``make bench`` measures them on an idle machine.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.benchmarks import __main__ as command
from tests.benchmarks.accepting import accept
from tests.benchmarks.catalogue import BENCHMARKS, Benchmark
from tests.benchmarks.report import table
from tests.environment import ROOT
from tests.faults.places import PLACES, Place, environment, free_port


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place on the database engine of the tests."""
    made = PLACES[connection.vendor](tmp_path_factory.mktemp("benchmarks"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_gives_its_figures(place: Place, name: str):
    benchmark = BENCHMARKS[name]

    figures = benchmark.measure(place, **benchmark.small)

    assert figures
    assert {figure.place for figure in figures} == {place.vendor}
    assert len({figure.name for figure in figures}) == len(figures)
    assert table(figures).count("\n") == len(figures) + 1


@pytest.mark.one_database
def test_a_page_that_does_not_come_fails_the_benchmark(place: Place):
    small = BENCHMARKS["accept"].small

    with pytest.raises(RuntimeError, match=r"^/gone/: HTTP 404$"):
        accept(place, **small, pages=("/", "/gone/"))


@pytest.mark.one_database
def test_a_call_that_fails_fails_the_bare_loop():
    address = f"http://127.0.0.1:{free_port()}"  # a closed port

    loop = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", "tests.benchmarks.bare", address, "4", "2"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (loop.returncode, loop.stdout) == (1, "")
    assert "ConnectionError" in loop.stderr


class NoPlace:
    """A database without queries."""

    def __init__(self, home: Path) -> None:
        pass

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.mark.one_database
def test_the_command_measures_the_others_and_fails(monkeypatch, capsys):
    def fails(_place: NoPlace) -> None:
        raise RuntimeError("/gone/: HTTP 404")

    asked = []
    benchmarks = {
        "one": Benchmark(fails, {}),
        "other": Benchmark(lambda _place: asked.append("other") or [], {}),
    }
    monkeypatch.setattr(command, "BENCHMARKS", benchmarks)
    monkeypatch.setattr(command, "PLACES", {"sqlite": NoPlace})

    code = command.main([])

    assert (code, asked) == (1, ["other"])
    said = capsys.readouterr().err
    assert "RuntimeError: /gone/: HTTP 404" in said
    assert said.endswith("Not measured, it failed: one on sqlite\n")
