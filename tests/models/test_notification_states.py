"""The table of transitions: every event in every state."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Notification, WrongState
from notifications.models.notification_states import TRANSITIONS
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = pytest.mark.django_db

S = Notification.Status
TOMORROW = timezone.now() + timedelta(days=1)
YESTERDAY = timezone.now() - timedelta(days=1)
EVENTS = {
    "schedule": lambda row: row.schedule(TOMORROW),
    "reschedule": lambda row: row.reschedule(TOMORROW, not_after=None),
    "start": lambda row: row.start(),
    "pause": lambda row: row.pause(Notification.PauseReason.PERSON),
    "resume": lambda row: row.resume(),
    "cancel": lambda row: row.cancel(Notification.StopReason.PERSON),
    "complete": lambda row: row.complete(),
}
ALLOWED = {
    ("schedule", S.DRAFT): S.SCHEDULED,
    ("reschedule", S.SCHEDULED): S.SCHEDULED,
    ("start", S.DRAFT): S.SENDING,
    ("start", S.SCHEDULED): S.SENDING,
    ("pause", S.SCHEDULED): S.PAUSED,
    ("pause", S.SENDING): S.PAUSED,
    ("resume", S.PAUSED): S.SENDING,
    ("cancel", S.SCHEDULED): S.CANCELLED,
    ("cancel", S.SENDING): S.CANCELLED,
    ("cancel", S.PAUSED): S.CANCELLED,
    ("complete", S.SENDING): S.COMPLETED,
    ("complete", S.PAUSED): S.COMPLETED,
}


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_in_a_state(event, status):
    row = make_notification(status=status, scheduled_for=MOMENT)
    stored = Notification.objects.filter(pk=row.pk)
    before = stored.values().get()

    if (event, status) in ALLOWED:
        EVENTS[event](row)
        assert stored.get().status == row.status == ALLOWED[event, status]
    else:
        with pytest.raises(WrongState):
            EVENTS[event](row)
        assert (stored.values().get(), row.status) == (before, status)


def test_the_table_has_every_event():
    assert {row.event for row in TRANSITIONS} == set(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_another_process_was_faster(event):
    """The state in the database counts, not the one that was read before."""
    source = min(next(row.sources for row in TRANSITIONS if row.event == event))
    row = make_notification(status=source, scheduled_for=MOMENT)
    cancelled = {"status": S.CANCELLED, "finished_at": MOMENT, "paused_reason": ""}
    Notification.objects.filter(pk=row.pk).update(**cancelled | {"paused_by": ""})

    with pytest.raises(WrongState):
        EVENTS[event](row)

    assert row.status == source


@pytest.mark.parametrize(
    ("sent_at", "start", "status"),
    [
        (None, TOMORROW, "scheduled"),
        (None, YESTERDAY, "sending"),
        (MOMENT, TOMORROW, "sending"),
        (MOMENT, None, "sending"),
    ],
)
def test_what_was_paused_before_its_time_waits_for_it_again(sent_at, start, status):
    row = make_notification(status="paused", sent_at=sent_at, scheduled_for=start)

    row.resume()

    row.refresh_from_db()
    assert (row.status, row.paused_reason) == (status, "")
    assert (row.sent_at is None) == (status == "scheduled")


@pytest.mark.parametrize("status", ["queued", "sending"])
def test_what_has_an_open_delivery_is_not_complete(status):
    row = make_notification(status="sending")
    make_delivery(row, status="accepted")
    make_delivery(row, status=status)

    with pytest.raises(WrongState):
        row.complete()

    row.refresh_from_db()
    assert row.status == "sending"
