"""The gate of a reading call: never faster than the limit, never in the past."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from notifications.models import Pace
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.limiter import HORIZON, Gate
from notifications.rate_limit.slots import SLOW_SECONDS


class Machine:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gate_of(machine: Machine, rate: float, name: str = "1:get") -> Gate:
    # Of a machine of its own: no database's clock is read.
    Pace.objects.get_or_create(name=name, defaults={"boot_id": "here"})
    return Gate(name, rate, EngineClock("here", machine))


@pytest.mark.django_db
def test_one_call_a_second():
    machine = Machine()
    gate = gate_of(machine, 1.0)

    first = gate.take(5)
    at_once = gate.take(5)
    machine.now = first[0] + 1.0 - HORIZON
    second = gate.take(5)

    assert len(first) == len(second) == 1
    assert at_once == []
    assert second[0] - first[0] == pytest.approx(1.0)


@pytest.mark.django_db
def test_two_that_share_a_row_share_the_limit():
    machine = Machine()
    one, other = gate_of(machine, 130.0), gate_of(machine, 130.0)

    moments = sorted([*one.take(3), *other.take(3), *one.take(100), *other.take(100)])

    assert len(moments) == 33  # those within the horizon, and no more
    steps = [b - a for a, b in pairwise(moments)]
    assert steps == pytest.approx([1 / 130] * 32)


@pytest.mark.django_db
def test_nothing_wanted_takes_no_lock(django_assert_num_queries):
    gate = gate_of(Machine(), 100.0)

    with django_assert_num_queries(0):
        assert gate.take(0) == []
    gate.take(100)
    with django_assert_num_queries(0):
        assert gate.take(100) == []  # closed until the next moment is near


@pytest.mark.django_db
def test_after_a_late_call_the_next_one_keeps_away():
    machine = Machine()
    gate = gate_of(machine, 1.0)
    (slot,) = gate.take(1)
    machine.now = slot + 0.4
    gate.called_late(machine.now)

    machine.now = slot + 1.3
    (later,) = gate.take(1)

    assert later == pytest.approx(slot + 1.4)


@pytest.mark.django_db
def test_after_a_frequency_code_half_the_pace_for_a_minute():
    machine = Machine()
    gate = gate_of(machine, 12.0)
    gate.slow_down()

    slow = gate.take(10)
    machine.now += SLOW_SECONDS + 1
    quick = gate.take(10)

    assert (len(slow), len(quick)) == (2, 4)


class EverySecond(TestCase):
    @given(
        rate=st.floats(min_value=1, max_value=300),
        steps=st.lists(st.floats(min_value=0, max_value=0.5), min_size=1, max_size=40),
    )
    def test_no_second_holds_more_than_the_rate(self, rate, steps):
        machine = Machine()
        gate = gate_of(machine, rate)
        moments = []
        for step in steps:
            machine.now += step
            taken = gate.take(20)
            assert all(moment >= machine.now for moment in taken)
            moments += taken

        gaps = [b - a for a, b in pairwise(moments)]
        assert all(gap >= 1 / rate - 1e-6 for gap in gaps)
