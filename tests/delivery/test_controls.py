"""Controls of a sent notification, and the switch for all sending."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from notifications import permissions
from notifications.delivery import controls as delivery_controls
from notifications.delivery.claim import channels_due, running
from notifications.models import AuditEntry, SendingSwitch, WrongState
from tests.factories import (
    MOMENT,
    make_delivery,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


def test_pause_and_resume(manager):
    notification = make_notification(sender=manager, status="sending", doubt_streak=19)
    row = make_delivery(notification, not_sent_streak=3)

    paused = delivery_controls.pause(manager, notification.pk)
    assert (paused.status, paused.paused_reason, paused.paused_by) == (
        "paused",
        "person",
        "lin.mei",
    )

    resumed = delivery_controls.resume(manager, notification.pk)
    assert (resumed.status, resumed.paused_reason, resumed.doubt_streak) == (
        "sending",
        "",
        0,
    )
    row.refresh_from_db()
    assert row.not_sent_streak == 0
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["paused", "resumed"]


def test_stop_cancels_what_waits_and_keeps_verdicts(manager):
    notification = make_notification(sender=manager, status="sending")
    waiting = make_delivery(notification)
    refused_before = make_delivery(notification, error_code=60007, attempt_count=1)
    in_flight = make_delivery(notification, status="sending")
    done = make_delivery(notification, status="accepted")

    delivery_controls.stop(manager, notification.pk)

    for row in (waiting, refused_before, in_flight, done):
        row.refresh_from_db()
    assert [row.status for row in (waiting, refused_before, in_flight, done)] == [
        "cancelled",
        "failed",
        "sending",
        "accepted",
    ]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("stopped", {"cancelled": 1, "failed": 1})


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (delivery_controls.pause, "paused"),
        (delivery_controls.pause, "completed"),
        (delivery_controls.resume, "sending"),
        (delivery_controls.resume, "cancelled"),
        (delivery_controls.stop, "completed"),
    ],
)
def test_a_step_that_the_state_does_not_allow(manager, act, status):
    notification = make_notification(sender=manager, status=status)

    with pytest.raises(WrongState):
        act(manager, notification.pk)

    notification.refresh_from_db()
    assert notification.status == status
    assert AuditEntry.objects.count() == 0


def test_a_superuser_controls_what_others_sent(manager):
    notification = make_notification(sender=manager, status="sending")
    chief = make_user(username="chief", superuser=True)

    assert delivery_controls.stop(chief, notification.pk).status == "cancelled"


def test_a_pause_says_why(manager):
    notification = make_notification(sender=manager, status="sending")

    delivery_controls.pause(manager, notification.pk, note="  the date\nis wrong ")

    notification.refresh_from_db()
    assert notification.paused_note == "the date is wrong"
    assert AuditEntry.objects.get().detail == {"note": "the date is wrong"}


def test_a_reason_that_is_too_long(manager):
    notification = make_notification(sender=manager, status="sending")

    with pytest.raises(ValidationError, match="The note has 201 characters"):
        delivery_controls.pause(manager, notification.pk, note="x" * 201)

    notification.refresh_from_db()
    assert notification.status == "sending"


def test_a_schedule_is_changed_and_written_down(manager):
    before = timezone.now() + timedelta(hours=1)
    start = timezone.now() + timedelta(hours=2)
    end = start + timedelta(hours=1)
    notification = make_notification(
        sender=manager, status="scheduled", scheduled_for=before
    )

    delivery_controls.reschedule(manager, notification.pk, start=start, not_after=end)

    notification.refresh_from_db()
    assert (notification.scheduled_for, notification.not_after) == (start, end)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.detail) == (
        "scheduled",
        "lin.mei",
        {
            "start": start.isoformat(),
            "before": before.isoformat(),
            "not_after": end.isoformat(),
        },
    )


@pytest.mark.parametrize(
    ("start", "not_after", "field", "sentence"),
    [
        (timedelta(minutes=-1), None, "start", "is over. Choose a later time."),
        (timedelta(days=367), None, "start", "is more than a year ahead."),
        (
            timedelta(hours=2),
            timedelta(hours=1),
            "not_after",
            "is not after the start.",
        ),
        (timedelta(hours=2), timedelta(hours=-1), "not_after", "is over."),
    ],
)
def test_times_that_cannot_be(manager, start, not_after, field, sentence):
    now = timezone.now()
    notification = make_notification(
        sender=manager, status="scheduled", scheduled_for=now + timedelta(hours=5)
    )

    with pytest.raises(ValidationError) as caught:
        delivery_controls.reschedule(
            manager,
            notification.pk,
            start=now + start,
            not_after=None if not_after is None else now + not_after,
        )

    assert list(caught.value.message_dict) == [field]
    assert sentence in caught.value.message_dict[field][0]
    assert AuditEntry.objects.count() == 0


def test_a_started_one_cannot_be_rescheduled(manager):
    notification = make_notification(sender=manager, status="sending")

    with pytest.raises(WrongState):
        delivery_controls.reschedule(
            manager,
            notification.pk,
            start=timezone.now() + timedelta(hours=1),
            not_after=None,
        )


def test_a_schedule_is_cancelled_by_stopping_it(manager):
    notification = make_notification(
        sender=manager,
        status="scheduled",
        scheduled_for=datetime(2030, 1, 1, tzinfo=UTC),
    )
    row = make_delivery(notification)

    delivery_controls.stop(manager, notification.pk)

    notification.refresh_from_db()
    row.refresh_from_db()
    assert (notification.status, row.status) == ("cancelled", "cancelled")
    assert notification.stop_reason == "person"


def test_only_the_sender_reschedules(manager):
    notification = make_notification(
        sender=manager,
        status="scheduled",
        scheduled_for=datetime(2030, 1, 1, tzinfo=UTC),
    )
    auditor = make_user(permissions.AUDITOR, username="wang.fang")

    with pytest.raises(PermissionDenied):
        delivery_controls.reschedule(
            auditor,
            notification.pk,
            start=timezone.now() + timedelta(hours=1),
            not_after=None,
        )


def test_what_was_paused_before_its_time_waits_for_it_again(manager):
    start = timezone.now() + timedelta(days=1)
    notification = make_notification(
        sender=manager, status="scheduled", scheduled_for=start
    )
    delivery_controls.pause(manager, notification.pk)

    delivery_controls.resume(manager, notification.pk)

    notification.refresh_from_db()
    assert (notification.status, notification.scheduled_for) == ("scheduled", start)
    assert notification.sent_at is None


def test_a_control_character_in_a_note(manager):
    notification = make_notification(sender=manager, status="sending")

    with pytest.raises(ValidationError, match="holds a control character"):
        delivery_controls.pause(manager, notification.pk, note="a\x00b")


def test_nothing_is_claimed_while_the_switch_is_off(manager):
    row = make_delivery()

    delivery_controls.set_sending_switch(manager, is_off=True)
    assert channels_due(MOMENT) == set()
    assert running(MOMENT) == []

    delivery_controls.set_sending_switch(manager, is_off=False)
    assert channels_due(MOMENT) == {"system_notification"}
    assert [row.pk for row in running(MOMENT)] == [row.notification_id]


def test_the_switch_is_audited_once(manager):
    delivery_controls.set_sending_switch(manager, is_off=True)
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    delivery_controls.set_sending_switch(colleague, is_off=True)

    switch = SendingSwitch.present()
    assert (switch.is_off, switch.changed_by) == (True, "lin.mei")
    assert switch.changed_at is not None
    assert list(AuditEntry.objects.values_list("action", "actor")) == [
        ("all_stopped", "lin.mei")
    ]


@pytest.mark.parametrize("is_off", [True, False])
def test_the_switch_needs_the_permission_to_send(is_off):
    auditor = make_user(permissions.AUDITOR)

    with pytest.raises(PermissionDenied):
        delivery_controls.set_sending_switch(auditor, is_off=is_off)

    assert not SendingSwitch.objects.exists()


@pytest.fixture
def colleague():
    return make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")


def test_a_colleague_pauses_and_stops_without_taking_over(manager, colleague):
    notification = make_notification(sender=manager, status="sending")

    paused = delivery_controls.pause(colleague, notification.pk, note="wrong date")
    assert (paused.status, paused.paused_by) == ("paused", "j.okafor")
    with pytest.raises(PermissionDenied, match=r"lin\.mei controls this notification"):
        delivery_controls.resume(colleague, notification.pk)
    delivery_controls.stop(colleague, notification.pk)

    notification.refresh_from_db()
    assert (notification.status, notification.controlled_by) == ("cancelled", None)
    entries = AuditEntry.objects.order_by("id").values_list("action", "actor")
    assert list(entries) == [("paused", "j.okafor"), ("stopped", "j.okafor")]


def test_a_colleague_takes_over_and_the_sender_takes_it_back(manager, colleague):
    start = timezone.now() + timedelta(hours=1)
    notification = make_notification(
        sender=manager, status="scheduled", scheduled_for=start
    )

    delivery_controls.take_over(colleague, notification.pk)
    delivery_controls.take_over(colleague, notification.pk)  # a double click
    delivery_controls.reschedule(
        colleague, notification.pk, start=start + timedelta(hours=1), not_after=None
    )
    with pytest.raises(PermissionDenied, match=r"j\.okafor controls this notification"):
        delivery_controls.reschedule(
            manager, notification.pk, start=start, not_after=None
        )
    delivery_controls.take_over(manager, notification.pk)

    notification.refresh_from_db()
    assert (notification.sender, notification.controlled_by) == (manager, manager)
    entries = AuditEntry.objects.filter(action="taken_over").order_by("id")
    assert list(entries.values_list("actor", "notification_number", "detail")) == [
        ("j.okafor", notification.pk, {"before": "lin.mei", "after": "j.okafor"}),
        ("lin.mei", notification.pk, {"before": "j.okafor", "after": "lin.mei"}),
    ]


@pytest.mark.parametrize("role", [permissions.AUDITOR, permissions.GROUP_ADMINISTRATOR])
@pytest.mark.parametrize(
    "act",
    [
        delivery_controls.pause,
        delivery_controls.resume,
        delivery_controls.stop,
        delivery_controls.take_over,
    ],
)
def test_a_control_needs_the_permission_to_send(manager, act, role):
    notification = make_notification(sender=manager, status="paused")
    stranger = make_user(role, username="wang.fang")

    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        act(stranger, notification.pk)

    notification.refresh_from_db()
    assert (notification.status, notification.controlled_by) == ("paused", None)
    assert not AuditEntry.objects.exists()


def test_an_ended_one_is_taken_over_under_the_guards(manager, colleague):
    notification = make_notification(sender=manager, status="completed")
    make_seal(notification)

    delivery_controls.take_over(colleague, notification.pk)

    notification.refresh_from_db()
    assert notification.controlled_by == colleague
