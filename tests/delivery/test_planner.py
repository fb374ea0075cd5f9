"""How many calls of each channel a worker claims, and in which order."""

from collections import Counter
from types import SimpleNamespace

import pytest
from django.db import transaction

from notifications.delivery.planner import ClaimPlanner
from notifications.models import Notification, Pace
from notifications.rate_limit.clock import EngineClock
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = pytest.mark.django_db

MESSAGE, NOTICE = "group_message", "system_notification"


@pytest.fixture
def now(settings, tmp_path) -> SimpleNamespace:
    settings.STATE_DIR = tmp_path
    return SimpleNamespace(seconds=40.0)


@pytest.fixture
def planner(now) -> ClaimPlanner:
    return ClaimPlanner(1, 190, EngineClock("boot", lambda: now.seconds))


def queue(channel: str, count: int) -> Notification:
    notification = make_notification(status="sending", channel=channel)
    for _n in range(count):
        make_delivery(notification)
    return notification


def tick(planner: ClaimPlanner, now: SimpleNamespace, threads: int) -> list[str]:
    """The channels of the claims of one tick, 25 ms after the last one."""
    now.seconds += 0.025
    if not planner.should_claim(MOMENT):
        return []
    claims = planner.claim(1, threads, MOMENT)
    planner.committed()
    return [claim.channel.word.value for claim in claims]


def test_a_worker_goes_on_after_the_machine_was_restarted(now):
    """The first claim only resets the rate limiter; later ones get slots."""
    Pace.objects.create(
        name="1:send_group_system_notification", boot_id="before", next_slot=9e6
    )
    make_delivery()
    clock = EngineClock("after", lambda: now.seconds)
    planner = ClaimPlanner(1, 190, clock)

    assert planner.should_claim(MOMENT)
    assert planner.claim(1, 9, MOMENT) == []
    now.seconds += 1.0

    assert planner.should_claim(MOMENT)
    assert len(planner.claim(1, 9, MOMENT)) == 1


def test_the_channels_take_turns_with_few_threads(planner, now):
    queue(NOTICE, 20)
    queue(MESSAGE, 20)

    single = [tick(planner, now, 1) for _n in range(6)]
    several = tick(planner, now, 3)

    assert Counter(word for words in single for word in words) == {
        NOTICE: 3,
        MESSAGE: 3,
    }
    assert {len(words) for words in single} == {1}
    assert set(Counter(several).values()) == {1, 2}


def test_what_one_channel_leaves_goes_to_the_other(planner, now):
    queue(NOTICE, 1)
    queue(MESSAGE, 20)

    first, second = tick(planner, now, 6), tick(planner, now, 6)

    assert first.count(NOTICE) + second.count(NOTICE) == 1
    # Each has the first choice in turn.
    assert len(first) + len(second) >= 9


def test_each_channel_has_a_rate_of_its_own(planner, now):
    queue(NOTICE, 500)
    queue(MESSAGE, 500)

    counts = Counter(word for _n in range(40) for word in tick(planner, now, 64))

    assert set(counts) == {NOTICE, MESSAGE}
    for count in counts.values():
        assert 185 <= count <= 205  # of 190 a second, and 50 ms ahead


def test_only_the_channel_of_a_rate_limit_slows_down(planner, now):
    queue(NOTICE, 500)
    queue(MESSAGE, 500)

    planner.slow_down({MESSAGE})
    counts = Counter(word for _n in range(40) for word in tick(planner, now, 64))

    assert 185 <= counts[NOTICE] <= 205
    assert 90 <= counts[MESSAGE] <= 105


def test_a_paused_channel_does_not_hold_the_other_one(planner, now):
    messages = queue(MESSAGE, 100)
    assert MESSAGE in tick(planner, now, 64)

    messages.pause(Notification.PauseReason.PERSON, by="lin.mei")
    assert tick(planner, now, 64) == []
    queue(NOTICE, 1)

    assert tick(planner, now, 64) == [NOTICE]


@pytest.mark.parametrize("channel", [NOTICE, MESSAGE])
def test_a_channel_without_work_costs_no_query(
    planner, now, channel, django_assert_max_num_queries
):
    queue(channel, 500)
    tick(planner, now, 4)

    # On PostgreSQL: whether there are slots. Then the pace with the clock of the server,
    # the notifications, the deliveries, the numbers of messages in use, two updates.
    with django_assert_max_num_queries(7 if channel == MESSAGE else 6):
        assert tick(planner, now, 4) == [channel] * 4


def test_the_counts_of_a_claim_that_was_rolled_back_are_forgotten(planner, now):
    """Otherwise the database would be taken for an older one."""
    queue(NOTICE, 5)
    messages = queue(MESSAGE, 5)
    assert planner.should_claim(MOMENT)
    with transaction.atomic():
        planner.claim(1, 8, MOMENT)
        transaction.set_rollback(True)
    messages.pause(Notification.PauseReason.PERSON, by="lin.mei")

    now.seconds += 2
    assert NOTICE in [*tick(planner, now, 8), *tick(planner, now, 8)]

    planner.check_restored()
