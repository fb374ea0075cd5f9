"""The pace of the queries beside a send."""

import pytest

from notifications import conf
from notifications.delivery.reconcile.pace import QueryPace
from notifications.models import Notification, Pace
from notifications.rate_limit.clock import engine_clock
from tests.delivery.reconcile.conftest import make_run
from tests.factories import make_notification

pytestmark = pytest.mark.django_db

FULL = 190.0


@pytest.fixture
def rates(settings, tencent):
    """``rates(calls, …)``: the rate of the queries after each second with so many calls."""
    settings.IM_CALLS_PER_SECOND = 200

    def measure(*calls: int) -> list[float]:
        pace = Pace.objects.create(name="1:send")
        queries = QueryPace(1400000000, engine_clock())
        queries.update(0.0)
        rates = [queries.rate]
        for second, count in enumerate(calls, start=1):
            pace.claimed += count
            pace.save()
            queries.update(float(second))
            rates.append(queries.rate)
        return rates

    return measure


def test_without_a_send_the_whole_rate_is_used(rates):
    assert conf.calls_per_second() == FULL
    assert rates(0, 0) == [FULL, FULL, FULL]


def test_beside_a_send_it_follows_the_calls_that_are_made(rates):
    make_notification(status=Notification.Status.SENDING)

    assert rates(190, 100, 0) == [1.0, 9.5, 2.0, 1.0]


def test_a_slow_rate_is_not_exceeded(rates, settings):
    make_notification(status=Notification.Status.SENDING)
    settings.IM_CALLS_PER_SECOND = 0.5

    assert rates(0, 0)[1:] == [conf.calls_per_second()] * 2


def test_a_repeat_takes_the_slots_of_a_send_at_their_distance(rates, tencent):
    make_notification(status=Notification.Status.SENDING)
    rates(100)
    pace = make_run().pace
    pace.rate = 1.0

    assert pace.limiter("send_group_msg").rate == FULL
    assert pace.limiter("group_msg_get_simple").rate == 1.0
