"""The mutations fit the code, and cover every test that docs/asvs.md names.

``make mutations`` makes them and runs the tests.
"""

import re
from functools import cache

import pytest

from tests.environment import ROOT
from tests.mutations.catalogue import MUTATIONS, NO_MUTATIONS, Mutation
from tests.test_security_table import rows

pytestmark = pytest.mark.one_database

TEST = re.compile(r"`(tests/[\w./]+\.py::\w+)`")


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text()


def proofs() -> set[tuple[str, str]]:
    """Each number of the table with each test that its row names."""
    return {
        (number, test)
        for numbers, _requirement, _state, proof in rows()
        for number in numbers.split()
        for test in TEST.findall(proof)
    }


def name_of(mutation: Mutation) -> str:
    return f"{mutation.rows} {mutation.file}"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=name_of)
def test_a_mutation_fits_the_code(mutation):
    count = text_of(mutation.file).count(mutation.old)
    assert count == 1
    assert mutation.new != mutation.old
    assert mutation.database in ("sqlite", "postgresql")
    assert mutation.tests
    for test in mutation.tests:
        path, _, name = test.partition("::")
        assert f"\ndef {name}(" in text_of(path), test


def test_every_proof_has_a_mutation_or_a_reason():
    covered = {(n, test) for m in MUTATIONS for n in m.numbers for test in m.tests}
    without = {
        (number, test)
        for number, test in proofs() - covered
        if not any(reason.covers(number, test) for reason in NO_MUTATIONS)
    }

    assert without == set()


def test_every_mutation_and_reason_belongs_to_a_row():
    known = proofs()
    odd = [
        name_of(mutation)
        for mutation in MUTATIONS
        if not all(
            any((number, test) in known for test in mutation.tests)
            for number in mutation.numbers
        )
        or not all(
            any((number, test) in known for number in mutation.numbers)
            for test in mutation.tests
        )
    ]
    odd += [
        f"{reason.rows} {reason.test}"
        for reason in NO_MUTATIONS
        if not reason.reason
        or not any(reason.covers(number, test) for number, test in known)
    ]

    assert odd == []
