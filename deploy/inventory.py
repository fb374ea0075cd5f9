"""``make sbom``: list the packages of the console as an SBOM and with their licences.

Both contain exactly the pins of requirements.txt and are equal on every machine: without
times, paths and generated numbers. The installed packages declare the licences.
"""

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
PINS = ROOT / "requirements.txt"
SBOM = ROOT / "docs" / "sbom.cdx.json"
LICENCES = ROOT / "docs" / "licences.md"

PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z0-9, -]+\])?==([^ ]+)", re.MULTILINE)
# Two packages declare only this classifier; their licence texts are BSD-3-Clause.
BSD = "License :: OSI Approved :: BSD License"
# The table is the last part of docs/licences.md; the text above is written by hand.
TABLE = "| package | version | licence | to share |"
# Licences under which changes to the package itself have to be shared.
COPYLEFT = {
    "LGPL-3.0-only": "changes to the library",
    "MPL-2.0": "changes to its files",
}
# The oldest Python of the pins, which needs all of them.
OLDEST = {
    "python_version": "3.11",
    "python_full_version": "3.11.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
}


def pins(text: str) -> dict[str, str]:
    """The version of each package in a list of requirements, by its normal name."""
    return dict(PIN.findall(text))


def licence_of(name: str) -> str:
    """The licence as an SPDX expression, as the installed package declares it.

    ValueError when it declares none.
    """
    package = metadata.metadata(name)
    if BSD in (package.get_all("Classifier") or []):
        return "BSD-3-Clause"
    licence = package.get("License-Expression") or package.get("License")
    if not licence or "\n" in licence:
        raise ValueError(f"The package {name} names no licence; look it up and say it.")
    return licence


def needed_by(name: str, extras: set[str]) -> set[str]:
    """The packages that ``name`` requires, including those of its ``extras``."""
    names = set()
    for line in metadata.requires(name) or []:
        need = Requirement(line)
        if need.marker is None or any(
            need.marker.evaluate(OLDEST | {"extra": extra}) for extra in ("", *extras)
        ):
            names.add(canonicalize_name(need.name))
    return names


def sbom(project: dict[str, Any], versions: dict[str, str]) -> dict[str, Any]:
    """A CycloneDX 1.6 document. ``project`` is that table of pyproject.toml."""
    dependencies = {
        canonicalize_name(need.name): need.extras
        for need in map(Requirement, project["dependencies"])
    }
    ref = {name: f"pkg:pypi/{name}@{version}" for name, version in versions.items()}
    root = f"{project['name']}@{project['version']}"
    needs = {
        ref[name]: sorted(
            ref[n] for n in needed_by(name, dependencies.get(name, set()))
        )
        for name in versions
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
            },
        },
        "components": [
            {
                "type": "library",
                "bom-ref": ref[name],
                "name": name,
                "version": version,
                "licenses": [{"expression": licence_of(name)}],
                "purl": ref[name],
            }
            for name, version in versions.items()
        ],
        "dependencies": [
            {"ref": root, "dependsOn": sorted(ref[name] for name in dependencies)},
            *({"ref": name, "dependsOn": on} for name, on in needs.items()),
        ],
    }


def licence_rows(document: dict[str, Any]) -> str:
    """The table of docs/licences.md."""
    rows = [TABLE, "|---|---|---|---|"]
    for part in document["components"]:
        licence = part["licenses"][0]["expression"]
        duty = COPYLEFT.get(licence, "–")
        rows.append(f"| {part['name']} | {part['version']} | {licence} | {duty} |")
    return "\n".join(rows) + "\n"


def written() -> dict[Path, str]:
    """The content of each of the two files.

    ValueError when a package is installed in another version than its pin.
    """
    versions = pins(PINS.read_text("utf-8"))
    for name, version in versions.items():
        if metadata.version(name) != version:
            raise ValueError(
                f"{name} is pinned at {version}, and {metadata.version(name)} is "
                "installed: install requirements.txt first."
            )
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    document = sbom(project, versions)
    said = LICENCES.read_text("utf-8").partition(TABLE)[0]
    return {
        SBOM: json.dumps(document, indent=2) + "\n",
        LICENCES: said + licence_rows(document),
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
