"""Exponential backoff."""

from hypothesis import given
from hypothesis import strategies as st

from notifications.rate_limit.backoff import backoff


@given(failures=st.integers(0, 10), jitter=st.floats(0, 1))
def test_backoff_grows_and_stays_within_its_bounds(failures, jitter):
    assert 2**failures <= backoff(failures, jitter) <= 1.5 * 2**failures
