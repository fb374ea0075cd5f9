"""Live rooms have no history: one repeat of the call with the same number."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.delivery.http_workers import Result
from notifications.delivery.reconcile.questions import REPEAT_WINDOW
from notifications.models import Delivery, Notification, SendingSwitch
from tests.delivery.reconcile.conftest import (
    make_message,
    make_run,
    make_unconfirmed,
    store,
)
from tests.factories import make_amending, make_amendment, make_capability

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def repeats(settings):
    settings.IM_REPEAT_LIVE_ROOMS = True


def result(delivery: Delivery) -> tuple[str, str, bool]:
    """Status, reason, and whether a query is open."""
    delivery.refresh_from_db()
    is_open = delivery.next_query_at is not None
    return delivery.status, delivery.reason, is_open


def test_an_accepted_repeat_shows_the_message_once(tencent, reconcile):
    delivery = make_unconfirmed("live")
    store(tencent, delivery)

    reconcile()

    assert result(delivery) == ("accepted", "repeated", False)
    assert (delivery.msg_seq, delivery.error_code) == (None, None)
    query = delivery.queries.get()
    assert (query.kind, query.verdict) == ("repeat", "present")
    first, repeat = tencent.journal
    assert (repeat.random, repeat.content) == (first.random, first.content)
    assert [entry.shown for entry in tencent.journal] == [True, False]


def test_a_repeat_shows_a_message_that_was_not_stored(tencent, reconcile):
    delivery = make_unconfirmed("live")

    reconcile()

    assert result(delivery) == ("accepted", "repeated", False)
    assert len(tencent.store.of_group("live")) == 1


def test_a_message_that_is_being_taken_back_is_not_repeated(tencent, reconcile):
    """It may not have been stored: the repeat would show it first."""
    delivery = make_unconfirmed("live")
    make_amending(make_amendment(delivery.notification), delivery)

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", False)
    assert not list(tencent.journal)


def test_nothing_is_called_after_the_window(tencent, reconcile):
    delivery = make_unconfirmed("live", ago=REPEAT_WINDOW.total_seconds())

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", False)
    assert not list(tencent.journal)
    assert not delivery.queries.exists()


def test_a_slot_after_the_window_is_not_used(tencent, monkeypatch):
    delivery = make_unconfirmed("live", ago=REPEAT_WINDOW.total_seconds() - 3)
    run = make_run()
    command = "send_group_msg"
    monkeypatch.setattr(
        run.pace.limiter(command), "take", lambda _limit: [run.clock.machine() + 10]
    )

    run.run()

    assert result(delivery) == ("unconfirmed", "no_answer", False)
    assert not list(tencent.journal)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "cancelled", "stop_reason": "person"},
        {"status": "completed", "not_after": timezone.now() - timedelta(seconds=5)},
    ],
)
def test_a_notification_that_was_stopped_is_not_repeated(tencent, reconcile, changes):
    delivery = make_unconfirmed("live", notification=make_message(**changes))

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", False)
    assert not list(tencent.journal)


def test_a_paused_notification_waits(tencent, reconcile):
    notification = make_message(status=Notification.Status.PAUSED)
    delivery = make_unconfirmed("live", notification=notification)

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", True)
    assert delivery.next_query_at > timezone.now()
    assert not list(tencent.journal)


def test_while_all_sending_is_stopped_nothing_is_repeated(tencent, reconcile):
    SendingSwitch.objects.create(pk=1, is_off=True)
    delivery = make_unconfirmed("live")
    asked = make_unconfirmed("plaza")
    store(tencent, asked)
    count = len(list(tencent.journal))

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", True)
    assert result(asked) == ("accepted", "in_history", False)
    assert len(list(tencent.journal)) == count


def test_a_refused_repeat_proves_nothing(tencent, reconcile):
    tencent.groups["live"].fault = "code:10017"
    delivery = make_unconfirmed("live")

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", False)
    query = delivery.queries.get()
    assert (query.verdict, query.error_code) == ("no_answer", 10017)


def test_with_the_setting_off_nothing_is_repeated(tencent, reconcile, settings):
    settings.IM_REPEAT_LIVE_ROOMS = False
    delivery = make_unconfirmed("live")

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", False)
    assert not list(tencent.journal)


@pytest.mark.parametrize("way", ["pause", "stop", "stop all", "not after"])
def test_what_is_stopped_meanwhile_is_not_repeated(tencent, monkeypatch, way):
    """Questions that were read before wait for a thread."""
    notification = make_message(status=Notification.Status.SENDING)
    deliveries = [
        make_unconfirmed("live", notification=notification, portion=n)
        for n in range(1, 5)
    ]
    run = make_run(threads=1)
    process = run._process

    def process_and_stop(result: Result[Any]) -> None:
        process(result)
        if result.outcome is None:
            return  # the slot was missed, and no call was made
        rows = Notification.objects.filter(pk=notification.pk)
        match way:
            case "pause":
                rows.update(status="paused", paused_reason="person")
            case "stop":
                rows.update(
                    status="cancelled",
                    stop_reason="person",
                    finished_at=timezone.now(),
                )
            case "stop all":
                SendingSwitch.objects.update_or_create(pk=1, defaults={"is_off": True})
            case "not after":
                rows.update(not_after=timezone.now() - timedelta(milliseconds=1))

    monkeypatch.setattr(run, "_process", process_and_stop)
    run.run()

    assert len(list(tencent.journal)) == 1
    assert [result(one)[0] for one in deliveries].count("accepted") == 1


def test_nothing_is_repeated_after_the_clock_was_set_back(tencent, reconcile):
    """Nobody knows how long ago the call was."""
    delivery = make_unconfirmed("live", ago=-60)

    reconcile()

    assert result(delivery) == ("unconfirmed", "no_answer", False)
    assert not list(tencent.journal)


@pytest.mark.parametrize(
    ("answer", "is_repeated"), [("yes", True), ("unknown", True), ("no", False)]
)
def test_what_a_probe_found_to_be_shown_twice_is_not_repeated(
    tencent, reconcile, answer, is_repeated
):
    make_capability("repeat", answer)
    delivery = make_unconfirmed("live")
    store(tencent, delivery)

    reconcile()

    assert len(list(tencent.journal)) == 1 + is_repeated
    status = "accepted" if is_repeated else "unconfirmed"
    assert result(delivery)[::2] == (status, False)
