"""How many groups a rule means, and how many of them are left out."""

import pytest

from notifications.models import Rule
from notifications.selectors.reach import Reach, reach
from tests.factories import make_group

pytestmark = pytest.mark.django_db


def test_who_would_get_it_and_who_is_left_out():
    make_group(name="直播 1", member_count=10)
    make_group(name="直播 2", member_count=20)
    make_group(name="直播 3", state="switched_off")
    make_group(name="直播 4", state="closed", type="Topic")
    make_group(name="直播 5", type="Topic")
    make_group(name="Other")

    found = reach(Rule(name_contains="直播"))

    assert found == Reach(
        groups=2, members=30, switched_off=1, closed=1, unknown_type=1
    )
    assert found.left_out == 3
    assert reach(Rule(name_contains="none")) == Reach(0, 0, 0, 0, 0)
