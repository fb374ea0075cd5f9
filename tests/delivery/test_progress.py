"""Why deliveries are queued, the rate of sending, and the remaining time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from notifications.delivery.explanations import explain, explain_code
from notifications.delivery.progress import progress_of
from notifications.delivery.waiting import (
    WaitReason,
    WaitState,
    facts_of,
    wait_state,
)
from notifications.models import Delivery, SendingSwitch
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NOW = MOMENT + timedelta(minutes=5)


def state_of(notification, *, has_worker: bool = True) -> WaitState:
    counts = notification.deliveries.counts()
    facts = replace(facts_of(notification, NOW), has_worker=has_worker)
    return wait_state(notification, counts, facts)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("sending", WaitReason.RATE_LIMIT),
        ("paused", WaitReason.PAUSED),
        ("scheduled", WaitReason.SCHEDULED),
    ],
)
def test_by_state(status, expected):
    notification = make_notification(status=status, scheduled_for=NOW)
    make_delivery(notification)

    assert state_of(notification).reason is expected


def test_the_switch_comes_first():
    notification = make_notification(status="paused")
    make_delivery(notification)
    SendingSwitch.objects.create(pk=1, is_off=True)

    assert state_of(notification, has_worker=False).reason is WaitReason.SENDING_STOPPED


def test_without_a_worker():
    notification = make_notification(status="sending")
    make_delivery(notification)

    assert state_of(notification, has_worker=False).reason is WaitReason.NO_WORKER


def test_calls_in_progress_without_a_worker():
    """For example after a kill: another worker gives them up."""
    notification = make_notification(status="cancelled")
    make_delivery(notification, status="sending")

    assert state_of(notification, has_worker=False).reason is WaitReason.NO_WORKER


def test_for_another_attempt():
    notification = make_notification(status="sending")
    soon = NOW + timedelta(seconds=4)
    make_delivery(notification, not_before=soon)
    make_delivery(notification, not_before=soon + timedelta(seconds=1))

    state = state_of(notification)

    assert (state.reason, state.next_attempt) == (WaitReason.RETRY_DELAY, soon)


def test_nothing_waits():
    notification = make_notification(status="sending")
    make_delivery(notification, status="sending")

    assert state_of(notification).reason is WaitReason.NOTHING_QUEUED


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

    state = state_of(notification)

    assert (state.rate, state.seconds_left) == (2.0, 4)


def test_the_rate_of_a_send_that_has_just_begun():
    notification = make_notification(
        status="sending", watched_since=NOW - timedelta(seconds=2)
    )
    make_delivery(notification, status="accepted", finished_at=NOW)
    make_delivery(notification)

    assert state_of(notification).rate == 0.5


def test_a_result_is_explained_as_one_of_its_call():
    """The same code is about one group for a notice, about the account for a message."""
    remedies = []
    for channel in ("system_notification", "group_message"):
        notification = make_notification(status="completed", channel=channel)
        row = make_delivery(notification, status="failed", error_code=10007)
        (problem,) = progress_of(notification).problems
        assert problem.explanation == explain(row) == explain_code(10007, channel)
        remedies.append(problem.explanation.remedy)

    assert remedies[0] != remedies[1]
