"""The installed packages are pinned, hashed and listed in the SBOM."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy import inventory
from tests.environment import ROOT

pytestmark = pytest.mark.one_database

LISTS = ("requirements.txt", "requirements-dev.txt")


def asked_for(name: str) -> list[Requirement]:
    """The requirements in one list of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = project["project"]["dependencies"]
    if name == "requirements-dev.txt":
        lines = lines + project["dependency-groups"]["dev"]
    return [Requirement(line) for line in lines]


def entries(name: str) -> Iterator[tuple[str, list[str]]]:
    """Each requirement of a list with its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", "")
    for line in text.splitlines():
        if not line.startswith("#"):
            requirement, *hashes = line.split("--hash=")
            yield requirement.strip(), [found.strip() for found in hashes]


@pytest.mark.parametrize("name", LISTS)
def test_each_line_is_one_release_with_its_hashes(name):
    found = dict(entries(name))

    assert len(found) == len(list(entries(name)))
    assert len({Requirement(line).name for line in found}) == len(found)
    for line, hashes in found.items():
        assert re.fullmatch(r"[a-z0-9-]+(\[[a-z0-9, -]+\])?==[0-9a-z.]+( ; .+)?", line)
        assert hashes, line
        assert [h for h in hashes if not re.fullmatch("sha256:[0-9a-f]{64}", h)] == []


def is_for_here(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(
        need.marker.evaluate({"extra": extra}) for extra in ("", *extras)
    )


@pytest.mark.parametrize("name", LISTS)
def test_what_a_package_asks_for_is_pinned_with_its_extras(name):
    """Otherwise Debian's pip refuses the list, or installs the newest releases."""
    pins = {
        canonicalize_name(pin.name): pin
        for pin in (Requirement(line) for line, _hashes in entries(name))
        if is_for_here(pin, set())
    }
    needs = [(name, need) for need in asked_for(name)]
    for pin in pins.values():
        asked = map(Requirement, metadata.requires(pin.name) or [])
        needs += [(pin.name, need) for need in asked if is_for_here(need, pin.extras)]

    unmet = [
        f"{asking}: {need}"
        for asking, need in needs
        if (pin := pins.get(canonicalize_name(need.name))) is None
        or not need.extras <= pin.extras
    ]
    assert unmet == []


@pytest.mark.parametrize("name", LISTS)
def test_the_pins_are_what_the_project_asks_for(name):
    pins = inventory.pins((ROOT / name).read_text())

    unmet = [
        str(need)
        for need in asked_for(name)
        if not need.specifier.contains(pins[canonicalize_name(need.name)])
    ]
    assert unmet == []


def test_the_tests_run_with_what_production_runs_with():
    production, tests = (inventory.pins((ROOT / name).read_text()) for name in LISTS)

    assert production.items() <= tests.items()


@pytest.mark.parametrize("path", [inventory.SBOM, inventory.LICENCES], ids=str)
def test_the_inventory_names_exactly_the_pins(path):
    assert path.read_text() == inventory.written()[path], "run make sbom"


def test_no_host_is_fixed_from_which_packages_come():
    for name in (*LISTS, "pyproject.toml", "docs/sbom.cdx.json"):
        text = (ROOT / name).read_text()
        found = set(re.findall(r"https?://[^\"\s]+|--(?:extra-)?index-url", text))
        assert found <= {"http://cyclonedx.org/schema/bom-1.6.schema.json"}, name
