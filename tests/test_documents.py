"""Documents name only files and links that exist."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.environment import ROOT

pytestmark = pytest.mark.one_database

DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if path.name != "CHANGELOG.md"  # names what was there at its time
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
# A path with a known ending, or a folder with a slash at its end.
NAMED_FILE = re.compile(
    r"^[\w.][\w./-]*(\.(py|md|html|css|js|json|toml|txt|yml|yaml|conf|service|timer|example|po)|/)$"
)
# Folders in which a document may name a file without the folder in front.
PLACES = [ROOT, ROOT / "notifications", ROOT / "docs", ROOT / "deploy", ROOT / "tests"]
# Named in documents, but made by a person or by a command.
MADE_ELSEWHERE = {
    ".env",
    "seal.json",
    "chain.jsonl",
    "VERIFY.txt",
    "index.html",
    "claims.json",
    "openid-configuration",
}


@cache
def tracked_names() -> frozenset[str]:
    """Names of files and folders in the repository, without the folders above them."""
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [Path(line) for line in listing.stdout.splitlines()]
    return frozenset(part for path in paths for part in path.parts)


def exists(name: str, document: Path) -> bool:
    """A path below one of the places; a bare name, anywhere in the repository."""
    bare = name.rstrip("/")
    if "/" not in bare and bare in tracked_names():
        return True
    return any((place / name).exists() for place in [*PLACES, document.parent])


def names_in(document: Path) -> set[str]:
    text = document.read_text("utf-8")
    return {
        name
        for name in CODE.findall(text)
        if NAMED_FILE.match(name) and Path(name).name not in MADE_ELSEWHERE
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_has_a_target(document):
    targets = [
        target
        for target in LINK.findall(document.read_text("utf-8"))
        if "://" not in target
    ]

    assert [name for name in targets if not (document.parent / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_named_file_exists(document):
    assert (
        sorted(name for name in names_in(document) if not exists(name, document)) == []
    )


def test_a_missing_file_is_found(tmp_path):
    document = tmp_path / "guide.md"
    document.write_text("See `delivery/worker.py` and `delivery/gone.py`, `make test`.")

    assert [n for n in names_in(document) if not exists(n, document)] == [
        "delivery/gone.py"
    ]
