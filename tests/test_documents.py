"""Documents name only files and links that exist."""

import re
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
TOPS = [".ci", "deploy", "docs", "notifications", "notifier_site", "templates", "tests"]
# Named in documents, but made by a person or by a command.
MADE_ELSEWHERE = {
    ".env",
    "seal.json",
    "chain.jsonl",
    "VERIFY.txt",
    "index.html",
    "claims.json",
    "pg_hba.conf",
    "postgresql.auto.conf",
    "openid-configuration",
}


@cache
def names_of_files() -> frozenset[str]:
    """Names of the project's files and folders, without the folders above them."""
    return frozenset(path.name for top in TOPS for path in (ROOT / top).rglob("*"))


def exists(name: str, document: Path) -> bool:
    """A path below one of the places; a bare name, anywhere in the repository."""
    bare = name.rstrip("/")
    if "/" not in bare and bare in names_of_files():
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


FOLDER_ROW = re.compile(r"^\| `(\w+)/` \| .+ \| (\d+) \| ([\d,]+) \|$", re.MULTILINE)


def test_the_table_of_folders_is_complete_and_about_right():
    """The numbers may be off by a fifth, so that small changes leave them alone."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    rows = {
        name: (int(files), int(lines.replace(",", "")))
        for name, files, lines in FOLDER_ROW.findall(text)
    }
    app = ROOT / "notifications"
    folders = {
        path.name: sorted(path.rglob("*.py"))
        for path in app.iterdir()
        if any(path.rglob("*.py")) and path.name != "migrations"
    }

    assert set(rows) == set(folders)
    for name, (files, lines) in rows.items():
        counted = sum(
            len(path.read_text("utf-8").splitlines()) for path in folders[name]
        )
        assert abs(files - len(folders[name])) <= max(2, files / 5), name
        assert abs(lines - counted) <= max(50, lines / 5), name
