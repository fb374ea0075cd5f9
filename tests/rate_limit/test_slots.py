"""Slots: never in the past, never closer than the rate allows."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.models import Pace
from notifications.rate_limit.clock import POSTGRESQL, EngineClock
from notifications.rate_limit.slots import (
    HORIZON,
    current_rate,
    free_slots,
    has_free_slot,
    locked_pace,
)

seconds = st.floats(min_value=0, max_value=1e7)
rates = st.floats(min_value=1, max_value=1000)


@pytest.mark.parametrize(
    ("next_slot", "earliest", "rate", "limit", "expected"),
    [
        (0, 100, 25, 9, [100, 100.04]),  # one at once, one before the horizon
        (0, 100, 20, 1, [100]),
        (
            100.025,
            100,
            100,
            9,
            [100.025, 100.035, 100.045],
        ),  # from the next free slot on
        (100.06, 100, 100, 9, []),  # beyond the horizon: later
        (0, 100, 1, 9, [100]),
        (0, 100, 20, 0, []),
    ],
)
def test_slots(next_slot, earliest, rate, limit, expected):
    slots = free_slots(next_slot, earliest, rate, limit)

    assert [slots.at(n) for n in range(slots.count)] == pytest.approx(expected)


@given(next_slot=seconds, earliest=seconds, rate=rates, limit=st.integers(0, 100))
def test_slots_keep_the_rate(next_slot, earliest, rate, limit):
    slots = free_slots(next_slot, earliest, rate, limit)
    moments = [slots.at(n) for n in range(slots.count)]

    assert slots.count <= limit
    assert all(moment >= max(next_slot, earliest) for moment in moments)
    assert all(moment <= earliest + HORIZON + 1e-6 for moment in moments)
    assert slots.at(slots.count) - slots.at(0) == pytest.approx(slots.count / rate)


@given(
    rate=st.floats(min_value=20, max_value=300),
    steps=st.lists(st.floats(min_value=0, max_value=0.2), min_size=1, max_size=200),
)
@example(rate=100.0, steps=[0.001] * 200)  # many workers that ask all the time
def test_no_second_holds_more_than_the_rate(rate, steps):
    """Ticks at arbitrary times, each of which takes all free slots."""
    moments: list[float] = []
    next_slot, now = 0.0, 50.0
    for step in steps:
        now += step
        slots = free_slots(next_slot, now, rate, 1000)
        moments += [slots.at(n) for n in range(slots.count)]
        if slots.count:
            next_slot = slots.at(slots.count)

    for start in moments:
        inside = [m for m in moments if start <= m < start + 1 - 1e-6]
        assert len(inside) <= rate + 1


@pytest.mark.django_db
def test_the_row_is_reset_after_a_reboot():
    Pace.objects.create(name="1:call", boot_id="old", next_slot=9e6, slow_until=9e6)

    pace = locked_pace("1:call", EngineClock("new", lambda: 40.0))

    assert (pace.boot_id, pace.next_slot, pace.slow_until) == ("new", 41.0, 0)


@pytest.mark.django_db
def test_the_row_is_unchanged_without_a_reboot():
    Pace.objects.create(name="1:call", boot_id="same", next_slot=43, slow_until=90)

    pace = locked_pace("1:call", EngineClock("same", lambda: 40.0))

    assert (pace.next_slot, pace.slow_until) == (43, 90)


@pytest.mark.django_db
def test_a_clock_that_was_set_back_does_not_stop_sending():
    Pace.objects.create(name="1:call", boot_id="same", next_slot=3640, slow_until=3700)

    pace = locked_pace("1:call", EngineClock("same", lambda: 40.0))

    assert (pace.next_slot, pace.slow_until) == (41.0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("next_slot", "should_lock"),
    [
        (40.0, True),
        (40.05, True),
        (40.06, False),  # beyond the horizon
        (50.0, True),  # the clock was set back: the row must be reset
    ],
)
def test_whether_to_take_the_lock(next_slot, should_lock):
    clock = EngineClock(POSTGRESQL, lambda: 40.0)
    assert has_free_slot("1:call", clock, 40.0)
    Pace.objects.create(name="1:call", boot_id=POSTGRESQL, next_slot=next_slot)

    assert has_free_slot("1:call", clock, 40.0) is should_lock


def test_the_rate_is_halved_after_a_rate_limit_code():
    pace = Pace(slow_until=100.0)

    assert current_rate(pace, 99.9, 190) == 95
    assert current_rate(pace, 100.0, 190) == 190
