"""The end of a notification."""

import ast

import pytest

from notifications.delivery.finish import complete_finished, finish
from notifications.models import Delivery, Notification, WrongState
from tests.environment import ROOT
from tests.factories import MOMENT, make_delivery, make_notification

pytestmark = pytest.mark.django_db


def test_a_notification_without_open_deliveries_is_completed():
    done = make_notification(status="sending")
    make_delivery(done, status=Delivery.Status.ACCEPTED)
    make_delivery(done, status=Delivery.Status.FAILED)
    waiting = make_notification(status="sending")
    make_delivery(waiting)
    paused = make_notification(status="paused")
    make_delivery(paused, status=Delivery.Status.ACCEPTED)

    assert complete_finished(MOMENT) == 1

    for notification in (done, waiting, paused):
        notification.refresh_from_db()
    assert (done.status, waiting.status, paused.status) == (
        "completed",
        "sending",
        "paused",
    )
    assert done.finished_at is not None


def test_one_that_another_process_moved_meanwhile_is_left_alone(monkeypatch):
    slower, faster = (make_notification(status="sending") for _n in range(2))
    complete = Notification.complete

    def complete_faster(row: Notification) -> None:
        if row == slower:
            raise WrongState(row.pk, "completed")
        complete(row)

    monkeypatch.setattr(Notification, "complete", complete_faster)

    assert complete_finished(MOMENT) == 1
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
