"""Which deliveries a worker takes, and in which order."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from notifications.delivery import claim as claiming
from notifications.delivery.channels import CHANNELS
from notifications.delivery.claim import channels_due, running
from notifications.delivery.planner import ClaimPlanner
from notifications.models import Delivery, Pace
from notifications.rate_limit.clock import EngineClock
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = pytest.mark.django_db


def claim(worker, slots, now, *, channel="system_notification", last_served=0):
    return claiming.claim(
        worker, CHANNELS[channel], running(now), slots, now, last_served=last_served
    )


def served(claims) -> list[int]:
    return [claim.notification_id for claim in claims]


def test_running_notifications_take_turns():
    running = [make_notification(status="sending") for _n in range(3)]
    for notification in running:
        for _n in range(3):
            make_delivery(notification)
    a, b, c = (notification.pk for notification in running)

    first = claim(1, [1.0], MOMENT)
    second = claim(1, [2.0], MOMENT, last_served=first[-1].notification_id)
    third = claim(1, [3.0, 4.0], MOMENT, last_served=second[-1].notification_id)

    assert (served(first), served(second), served(third)) == ([a], [b], [c, a])


def test_what_one_leaves_goes_to_the_others():
    short, long = (make_notification(status="sending") for _n in range(2))
    make_delivery(short)
    for _n in range(5):
        make_delivery(long)

    claims = claim(1, [1.0, 2.0, 3.0, 4.0], MOMENT)

    assert served(claims) == [short.pk, long.pk, long.pk, long.pk]
    assert Delivery.objects.filter(status="sending", owner=1).count() == 4


@pytest.mark.parametrize(("seconds", "is_due"), [(1, True), (0, False)])
def test_nothing_is_claimed_after_its_end(seconds, is_due):
    end = MOMENT + timedelta(seconds=seconds)
    make_delivery(make_notification(status="sending", not_after=end))

    assert bool(channels_due(MOMENT)) is is_due
    assert len(claim(1, [1.0], MOMENT)) == is_due


def test_a_worker_goes_on_after_the_machine_was_restarted(settings, tmp_path):
    """The first claim only resets the rate limiter; later ones get slots."""
    settings.STATE_DIR = tmp_path
    Pace.objects.create(
        name="1:send_group_system_notification", boot_id="before", next_slot=9e6
    )
    make_delivery()
    now = SimpleNamespace(seconds=40.0)
    clock = EngineClock("after", lambda: now.seconds)
    planner = ClaimPlanner(1, 190, clock)

    assert planner.should_claim(MOMENT)
    assert planner.claim(1, 9, MOMENT) == []
    now.seconds += 1.0

    assert planner.should_claim(MOMENT)
    assert len(planner.claim(1, 9, MOMENT)) == 1
