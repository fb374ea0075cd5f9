"""The table of security requirements is complete, and its proofs exist."""

import re
from collections import Counter

import pytest

from tests.environment import ROOT

pytestmark = pytest.mark.one_database

TABLE = ROOT / "docs" / "asvs.md"
STATES = {"met", "partly", "accepted risk", "not applicable"}
# Levels 1 and 2 of ASVS 5.0.0: the requirement numbers of each section.
REQUIREMENTS = """
1.1: 1-2    1.2: 1-9    1.3: 1-11   1.4: 1-3    1.5: 1-2
2.1: 1-3    2.2: 1-3    2.3: 1-4    2.4: 1
3.2: 1-2    3.3: 1-4    3.4: 1-6    3.5: 1-5    3.7: 1-2
4.1: 1-3    4.2: 1      4.3: 1-2    4.4: 1-4
5.1: 1      5.2: 1-3    5.3: 1-2    5.4: 1-3
6.1: 1-3    6.2: 1-12   6.3: 1-4    6.4: 1-4    6.5: 1-5    6.6: 1-3    6.8: 1-4
7.1: 1-3    7.2: 1-4    7.3: 1-2    7.4: 1-5    7.5: 1-2    7.6: 1-2
8.1: 1-2    8.2: 1-3    8.3: 1      8.4: 1
9.1: 1-3    9.2: 1-4
10.1: 1-2   10.2: 1-2   10.3: 1-4   10.4: 1-11  10.5: 1-5   10.6: 1-2   10.7: 1-3
11.1: 1-2   11.2: 1-3   11.3: 1-3   11.4: 1-4   11.5: 1     11.6: 1
12.1: 1-3   12.2: 1-2   12.3: 1-4
13.1: 1     13.2: 1-5   13.3: 1-2   13.4: 1-5
14.1: 1-2   14.2: 1-4   14.3: 1-3
15.1: 1-3   15.2: 1-3   15.3: 1-7
16.1: 1     16.2: 1-5   16.3: 1-4   16.4: 1-3   16.5: 1-3
17.1: 1     17.2: 1-4   17.3: 1-2
"""


def numbers() -> list[str]:
    found = []
    for section, begin, end in re.findall(r"([\d.]+): (\d+)(?:-(\d+))?", REQUIREMENTS):
        last = int(end or begin)
        found += [f"{section}.{n}" for n in range(int(begin), last + 1)]
    return found


def rows() -> list[list[str]]:
    """The cells of each row: number, requirement, state, proof."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "no."]


def test_each_requirement_stands_in_one_row():
    assert len(numbers()) == 253
    found = Counter(number for row in rows() for number in row[0].split())

    assert found == Counter(numbers())


def test_each_row_has_one_of_four_states_and_a_proof_or_a_reason():
    odd = [row for row in rows() if len(row) != 4 or row[2] not in STATES or not row[3]]

    assert odd == []
    unproven = [row[0] for row in rows() if row[2] == "met" and "`" not in row[3]]
    assert unproven == []


def test_every_test_and_file_that_is_named_is_there():
    text = TABLE.read_text()
    missing = []
    for path, name in re.findall(r"`((?:\.?\w+)/[\w./@-]+)(?:::(\w+))?`", text):
        file = ROOT / path
        if not file.exists() or (name and f"\ndef {name}(" not in file.read_text()):
            missing.append(f"{path}::{name}" if name else path)

    assert missing == []
