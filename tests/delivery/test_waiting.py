"""Why it waits, how fast it goes, how long it takes."""

from datetime import timedelta

import pytest

from notifications.delivery.progress import WaitReason, WaitState, wait_state
from notifications.models import Delivery, SendingSwitch
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = pytest.mark.django_db

NOW = MOMENT + timedelta(minutes=5)


def ask(notification, *, has_worker: bool = True) -> WaitState:
    counts = notification.deliveries.counts()
    return wait_state(notification, counts, now=NOW, has_worker=has_worker)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("sending", WaitReason.FOR_THE_PACE),
        ("paused", WaitReason.FOR_A_PERSON),
        ("scheduled", WaitReason.FOR_ITS_TIME),
    ],
)
def test_by_state(status, expected):
    notification = make_notification(status=status, scheduled_for=NOW)
    make_delivery(notification)

    assert ask(notification).why is expected


def test_the_switch_comes_first():
    notification = make_notification(status="paused")
    make_delivery(notification)
    SendingSwitch.objects.create(pk=1, is_off=True)

    assert ask(notification, has_worker=False).why is WaitReason.FOR_THE_SWITCH


def test_without_a_worker():
    notification = make_notification(status="sending")
    make_delivery(notification)

    assert ask(notification, has_worker=False).why is WaitReason.FOR_A_WORKER


def test_for_another_attempt():
    notification = make_notification(status="sending")
    soon = NOW + timedelta(seconds=4)
    make_delivery(notification, not_before=soon)
    make_delivery(notification, not_before=soon + timedelta(seconds=1))

    found = ask(notification)

    assert (found.why, found.next_attempt) == (WaitReason.FOR_ANOTHER_ATTEMPT, soon)


def test_nothing_waits():
    notification = make_notification(status="sending")
    make_delivery(notification, status="sending")

    assert ask(notification).why is WaitReason.FOR_NOTHING


def test_the_rate_is_that_of_the_last_ten_seconds():
    notification = make_notification(status="sending")
    for n in range(30):
        make_delivery(
            notification,
            status=Delivery.Status.ACCEPTED,
            finished_at=NOW - timedelta(seconds=n / 2),
        )
    for _n in range(8):
        make_delivery(notification)

    found = ask(notification)

    assert (found.rate, found.seconds_left) == (2.0, 4)


def test_the_rate_of_a_send_that_has_just_begun():
    notification = make_notification(
        status="sending", watched_since=NOW - timedelta(seconds=2)
    )
    make_delivery(notification, status="accepted", finished_at=NOW)
    make_delivery(notification)

    assert ask(notification).rate == 0.5
