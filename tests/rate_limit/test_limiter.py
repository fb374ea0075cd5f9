"""The rate limiter of a reading call: never faster than the limit, never in the past."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from notifications.models import Pace
from notifications.rate_limit.clock import EngineClock
from notifications.rate_limit.limiter import READING_HORIZON, RateLimiter
from notifications.rate_limit.slots import SLOW_SECONDS


class Machine:
    """A clock that advances only when ``now`` is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limiter_of(machine: Machine, rate: float, name: str = "1:get") -> RateLimiter:
    # A boot id other than PostgreSQL's: the server's clock is not read.
    Pace.objects.get_or_create(name=name, defaults={"boot_id": "here"})
    return RateLimiter(name, rate, EngineClock("here", machine))


@pytest.mark.django_db
def test_one_call_a_second():
    machine = Machine()
    limiter = limiter_of(machine, 1.0)

    first = limiter.take(5)
    at_once = limiter.take(5)
    machine.now = first[0] + 1.0 - READING_HORIZON
    second = limiter.take(5)

    assert len(first) == len(second) == 1
    assert at_once == []
    assert second[0] - first[0] == pytest.approx(1.0)


@pytest.mark.django_db
def test_two_that_share_a_row_share_the_limit():
    machine = Machine()
    one, other = limiter_of(machine, 130.0), limiter_of(machine, 130.0)

    moments = sorted([*one.take(3), *other.take(3), *one.take(100), *other.take(100)])

    assert len(moments) == 33  # those within the horizon, and no more
    steps = [b - a for a, b in pairwise(moments)]
    assert steps == pytest.approx([1 / 130] * 32)


@pytest.mark.django_db
def test_a_limit_of_zero_takes_no_lock(django_assert_num_queries):
    limiter = limiter_of(Machine(), 100.0)

    with django_assert_num_queries(0):
        assert limiter.take(0) == []
    limiter.take(100)
    with django_assert_num_queries(0):
        assert limiter.take(100) == []  # until the next slot is within the horizon


@pytest.mark.django_db
def test_a_late_call_delays_the_next_slot():
    machine = Machine()
    limiter = limiter_of(machine, 1.0)
    (slot,) = limiter.take(1)
    machine.now = slot + 0.4
    limiter.called_late(machine.now)

    machine.now = slot + 1.3
    (later,) = limiter.take(1)

    assert later == pytest.approx(slot + 1.4)


@pytest.mark.django_db
def test_a_rate_limit_code_halves_the_rate_for_a_minute():
    machine = Machine()
    limiter = limiter_of(machine, 12.0)
    limiter.slow_down()

    slow = limiter.take(10)
    machine.now += SLOW_SECONDS + 1
    quick = limiter.take(10)

    assert (len(slow), len(quick)) == (2, 4)


@pytest.mark.django_db
@pytest.mark.parametrize("step", [20.0, -3600.0, -2.0])
def test_a_step_of_the_servers_clock_brings_no_calls_closer(step):
    machine = Machine()
    clock = EngineClock("here", machine, offset=10_000.0)
    Pace.objects.create(name="1:get", boot_id="here")
    limiter = RateLimiter("1:get", 100.0, clock)
    before = limiter.take(100)

    machine.now += 0.01
    clock.offset += step
    clock.set_at = machine.now
    after: list[float] = []
    while not after:
        assert machine.now < 1004.5, "The pace stands still."
        after = limiter.take(100)
        machine.now += 0.01

    assert len(before) == 26
    assert after[0] >= clock.set_at + 1 - 1e-6


class EverySecond(TestCase):
    @given(
        rate=st.floats(min_value=1, max_value=300),
        steps=st.lists(st.floats(min_value=0, max_value=0.5), min_size=1, max_size=40),
    )
    def test_no_second_holds_more_than_the_rate(self, rate, steps):
        machine = Machine()
        limiter = limiter_of(machine, rate)
        moments = []
        for step in steps:
            machine.now += step
            taken = limiter.take(20)
            assert all(moment >= machine.now for moment in taken)
            moments += taken

        gaps = [b - a for a, b in pairwise(moments)]
        assert all(gap >= 1 / rate - 1e-6 for gap in gaps)
