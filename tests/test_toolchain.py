"""The configuration of the gate: the layers, and the list of settings."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from notifications import __version__
from tests.environment import ROOT, names_of_settings

pytestmark = pytest.mark.one_database


def test_imports_point_one_way():
    # In a new process, because import-linter disables all existing loggers.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    lint = subprocess.run(  # noqa: S603  our own tool
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (lint.returncode, lint.stderr) == (0, ""), lint.stdout


def test_the_example_names_exactly_the_variables_that_are_read():
    example = (ROOT / ".env.example").read_text()
    named = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", example, flags=re.MULTILINE)

    assert sorted(named) == sorted(names_of_settings())


def test_the_configuration_page_explains_every_variable():
    page = (ROOT / "docs/configuration.md").read_text()

    assert [name for name in names_of_settings() if f"`{name}`" not in page] == []


def test_the_version_is_the_same_everywhere():
    """Pages and metrics read ``__version__``, too: ``system.machine.versions``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sbom = json.loads((ROOT / "docs" / "sbom.cdx.json").read_text())
    newest = re.search(
        r"^## (\d\S*) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )

    assert project["version"] == __version__
    assert sbom["metadata"]["component"]["version"] == __version__
    assert newest is not None
    assert newest[1] == __version__


@pytest.mark.parametrize(
    "arguments", [["version"], ["--version"], ["send_worker", "--version"]]
)
def test_commands_print_the_version_of_the_console(arguments):
    process = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert process.stdout == f"{__version__}\n"
