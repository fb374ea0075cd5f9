"""The end of a notification."""

import ast

import pytest

from notifications.delivery.finish import complete_finished, finish
from notifications.models import AuditEntry, Delivery, Notification, WrongState
from tests.environment import ROOT
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = pytest.mark.django_db


def test_a_notification_without_open_deliveries_is_completed():
    done = make_notification(status="sending")
    make_delivery(done, status=Delivery.Status.ACCEPTED)
    make_delivery(done, status=Delivery.Status.FAILED)
    waiting = make_notification(status="sending")
    make_delivery(waiting)

    assert complete_finished(MOMENT, "worker 1") == 1

    for notification in (done, waiting):
        notification.refresh_from_db()
    assert (done.status, waiting.status) == ("completed", "sending")
    assert done.finished_at is not None
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "pause",
    [
        {"paused_reason": "person", "paused_by": "lin.mei", "paused_note": "Wait."},
        {"paused_reason": "failures", "paused_by": ""},
        {"paused_reason": "text_code", "paused_by": "", "paused_code": 80001},
        # Scheduled, and put in quarantine before its start.
        {"paused_reason": "restored", "paused_by": "", "sent_at": None},
    ],
)
def test_a_paused_one_is_completed_when_its_last_call_has_ended(pause):
    paused = make_notification(status="paused", **pause)
    make_delivery(paused, status=Delivery.Status.ACCEPTED)
    last = make_delivery(paused, status=Delivery.Status.SENDING, owner=1)
    waiting = make_notification(status="paused")
    make_delivery(waiting)

    assert complete_finished(MOMENT, "worker 1") == 0
    last.status, last.error_code = Delivery.Status.ACCEPTED, 0
    last.owner, last.finished_at = None, MOMENT
    last.save()
    assert complete_finished(MOMENT, "worker 1") == 1

    paused.refresh_from_db()
    waiting.refresh_from_db()
    assert (paused.status, waiting.status) == ("completed", "paused")
    assert (paused.paused_reason, paused.paused_by, paused.paused_note) == ("", "", "")
    assert paused.sent_at is not None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("finished_paused", "worker 1")
    assert entry.notification_number == paused.pk


def test_one_that_another_process_moved_meanwhile_is_left_alone(monkeypatch):
    slower, faster = (make_notification(status="sending") for _n in range(2))
    complete = Notification.complete

    def complete_faster(row: Notification) -> None:
        if row == slower:
            raise WrongState(row.pk, "completed")
        complete(row)

    monkeypatch.setattr(Notification, "complete", complete_faster)

    assert complete_finished(MOMENT, "worker 1") == 1
    for row, status in ((slower, "sending"), (faster, "completed")):
        row.refresh_from_db()
        assert row.status == status


@pytest.mark.parametrize("reason", Notification.StopReason)
def test_a_stop_ends_what_is_waiting(reason):
    notification = make_notification(status="sending")
    make_delivery(notification)
    make_delivery(notification, error_code=60007, attempt_count=1)
    make_delivery(notification, status="sending")

    ended = finish(notification, MOMENT, reason)

    assert ended == {"failed": 1, "cancelled": 1}
    assert (notification.status, notification.stop_reason) == ("cancelled", reason)
    with pytest.raises(WrongState):
        finish(notification, MOMENT, reason)


def test_a_notification_ends_in_one_place():
    """Nothing else calls ``Notification.complete`` or ``Notification.cancel``."""
    callers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "notifications").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("complete", "cancel")
    }

    assert callers == {"notifications/delivery/finish.py"}
