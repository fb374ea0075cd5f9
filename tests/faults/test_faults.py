"""The short form of the fault suite: each fault once or a few times.

It uses the database engine of the test run; ``make faults`` is the long form.
"""

import random
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.faults.faults import FAULTS
from tests.faults.runs import Stage, stage

HERE = [name for name, fault in FAULTS.items() if connection.vendor in fault.places]


@pytest.fixture(scope="module")
def here() -> Iterator[Stage]:
    with stage(connection.vendor) as made:
        yield made


@pytest.mark.parametrize("name", HERE)
def test_the_promise_is_kept(here: Stage, name: str):
    seed = random.SystemRandom().randrange(1, 2**32)
    fault = FAULTS[name]

    tally = here.play(fault, fault.short, seed=seed, is_long=False)

    assert tally.is_kept, (
        f"seed {seed}: {tally.cells()} {tally.problems} {tally.secrets}"
    )
    assert tally.runs == fault.short
    assert tally.deliveries >= fault.short * fault.groups
