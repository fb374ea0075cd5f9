"""Writing each outcome, and outcomes that arrive late."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications.delivery.channels import CHANNELS
from notifications.delivery.channels.base import Message, Target
from notifications.delivery.claim import Claim
from notifications.delivery.http_workers import Result
from notifications.delivery.results import ResultWriter
from notifications.delivery.retry import AttemptHistory
from notifications.models import AuditEntry, Delivery, Notification
from notifications.tencent.calls.send_group_msg import Receipt
from notifications.tencent.message_options import MessageOptions
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from tests.factories import make_delivery, make_group, make_notification

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
WORKER = 7

ACCEPTED = Outcome(
    OutcomeKind.ACCEPTED, http_status=200, action_status="OK", error_code=0
)
UNCONFIRMED = Outcome(
    OutcomeKind.UNCONFIRMED, reason=Reason.NO_ANSWER, detail="No answer within 10 s."
)
NOT_SENT = Outcome(OutcomeKind.NOT_SENT, reason=Reason.REFUSED)


def rejected(code: int, info: str = "no") -> Outcome:
    return Outcome(
        OutcomeKind.REJECTED,
        http_status=200,
        action_status="FAIL",
        error_code=code,
        error_info=info,
    )


class NoJitter(random.Random):
    def random(self) -> float:
        return 0.0


def write(
    *rows: tuple[Delivery, Outcome | None] | tuple[Delivery, Outcome, Any],
) -> bool:
    """Write the outcomes, each with the data of its call. Return whether to slow down."""
    results = [
        Result(
            Claim(
                delivery_id=row.pk,
                notification_id=row.notification_id,
                attempt=row.attempt_count,
                channel=CHANNELS[row.channel],
                message=Message.of(row.notification),
                target=Target.of(row),
                slot=0.0,
                history=AttemptHistory(
                    row.rejection_count, row.not_sent_streak, row.error_code
                ),
            ),
            started_at=NOW - timedelta(milliseconds=90),
            finished_at=NOW + timedelta(milliseconds=index),
            outcome=outcome,
            data=data[0] if data else None,
        )
        for index, (row, outcome, *data) in enumerate(rows)
    ]
    writer = ResultWriter(WORKER, NOW, retry_internal_error=True, jitter=NoJitter())
    writer.write(results)
    return bool(writer.slow_down)


def sending(notification: Notification | None = None, **kwargs) -> Delivery:
    return make_delivery(
        notification, status=Delivery.Status.SENDING, owner=WORKER, **kwargs
    )


def state(row: Delivery) -> tuple:
    row.refresh_from_db()
    return (row.status, row.error_code, row.reason, row.owner, row.finished_at)


def test_accepted():
    row = sending()

    slow_down = write((row, ACCEPTED))

    assert slow_down is False
    assert state(row) == ("accepted", 0, "", None, NOW)
    attempt = row.attempts.get()
    assert (attempt.number, attempt.worker, attempt.outcome) == (1, 7, "accepted")
    assert (attempt.http_status, attempt.action_status) == (200, "OK")
    assert attempt.duration_ms == 90


def test_failed_keeps_the_code_and_the_text_verbatim():
    row = sending()

    write((row, rejected(10010, "群组不存在\n <b>gone</b>")))

    assert state(row) == ("failed", 10010, "", None, NOW)
    assert row.error_info == "群组不存在\n <b>gone</b>"
    assert row.attempts.get().error_info == "群组不存在\n <b>gone</b>"


def test_unconfirmed():
    row = sending()

    write((row, UNCONFIRMED))

    assert state(row) == ("unconfirmed", None, "no_answer", None, NOW)
    assert row.attempts.get().detail == "No answer within 10 s."


def test_a_retry_waits_and_keeps_its_last_code():
    row = sending()

    slow_down = write((row, rejected(60007)))

    assert slow_down is True
    assert state(row) == ("queued", 60007, "", None, None)
    assert row.not_before == NOW + timedelta(seconds=2)
    assert (row.attempt_count, row.rejection_count) == (1, 1)
    assert row.attempts.get().outcome == "rejected"


def test_not_sent_uses_up_no_attempt():
    row = sending()

    write((row, NOT_SENT))

    assert state(row) == ("queued", None, "", None, None)
    assert (row.rejection_count, row.not_sent_streak) == (0, 1)
    assert row.attempts.get().outcome == "not_sent"


def test_the_fourth_not_sent_in_a_row_pauses():
    row = sending(not_sent_streak=3)

    write((row, NOT_SENT))

    row.notification.refresh_from_db()
    assert row.notification.status == "paused"
    assert row.notification.paused_reason == "not_sent"
    assert state(row)[0] == "queued"


def test_a_missed_slot_leaves_no_trace():
    row = sending()

    write((row, None))

    assert state(row) == ("queued", None, "", None, None)
    assert row.attempt_count == 0
    assert row.attempts.count() == 0


def test_an_account_code_puts_back_and_pauses_with_the_reason():
    notification = make_notification(status="sending")
    first, second = sending(notification), sending(notification)

    write((first, rejected(70009)), (second, rejected(70009)))

    notification.refresh_from_db()
    assert notification.status == "paused"
    assert notification.paused_reason == "account_code"
    assert (notification.paused_code, notification.paused_by) == (70009, "")
    assert [state(row)[0] for row in (first, second)] == ["queued", "queued"]
    assert [row.rejection_count for row in (first, second)] == [0, 0]
    entry = AuditEntry.objects.get()  # one pause, not two
    assert (entry.action, entry.actor) == ("paused", "worker 7")
    assert entry.detail == {
        "reason": "account_code",
        "channel": "system_notification",
        "code": 70009,
    }


def test_a_refused_text_fails_and_pauses():
    row = sending()

    write((row, rejected(80001)))

    row.notification.refresh_from_db()
    assert (row.notification.status, row.notification.paused_code) == ("paused", 80001)
    assert state(row)[0] == "failed"


def test_a_signature_that_was_made_anew_is_tried_at_once():
    row = sending()

    write((row, replace(rejected(70001), retry_with_new_signature=True)))

    assert state(row)[0] == "queued"
    assert (row.not_before, row.rejection_count) == (NOW, 0)


def test_twenty_doubtful_outcomes_in_a_row_pause():
    notification = make_notification(status="sending", doubt_streak=18)

    write((sending(notification), UNCONFIRMED))
    notification.refresh_from_db()
    assert (notification.status, notification.doubt_streak) == ("sending", 19)

    write((sending(notification), NOT_SENT))
    notification.refresh_from_db()
    assert (notification.status, notification.paused_reason) == ("paused", "doubt")


def test_a_verdict_ends_the_streak_of_doubt():
    notification = make_notification(status="sending", doubt_streak=19)

    write((sending(notification), rejected(10010)))

    notification.refresh_from_db()
    assert (notification.status, notification.doubt_streak) == ("sending", 0)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (None, ("cancelled", None, "", None, NOW)),
        (NOT_SENT, ("cancelled", None, "", None, NOW)),
        (rejected(60007), ("failed", 60007, "", None, NOW)),
        (ACCEPTED, ("accepted", 0, "", None, NOW)),
    ],
)
def test_under_a_stopped_notification_nothing_is_queued_again(outcome, expected):
    notification = make_notification(status="cancelled")
    row = sending(notification)

    write((row, outcome))

    assert state(row) == expected


def test_an_answer_after_recovery_changes_nothing_and_is_noted():
    row = make_delivery(status=Delivery.Status.UNCONFIRMED, reason="worker_lost")
    before = state(row)

    write((row, ACCEPTED))

    assert state(row) == before
    assert row.attempts.count() == 0
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.delivery_number) == ("late_answer", row.pk)
    assert (entry.detail["outcome"], entry.detail["error_code"]) == ("accepted", 0)


def test_the_log_names_the_delivery_and_no_text_of_it(caplog):
    caplog.set_level("DEBUG", "notifications.delivery")
    notification = make_notification(status="sending", content="Secret plans")
    row = make_delivery(
        notification, make_group(group_id="hush"), status="sending", owner=WORKER
    )
    late = make_delivery(notification, make_group(), status="unconfirmed")

    write((row, rejected(70009)), (late, ACCEPTED))

    messages = [
        (r.levelname, r.getMessage(), r.notification, getattr(r, "delivery", None))
        for r in caplog.records
    ]
    assert messages == [
        (
            "WARNING",
            "A response arrived after recovery gave up the delivery: accepted.",
            notification.pk,
            late.pk,
        ),
        ("DEBUG", "Attempt 1: rejected.", notification.pk, row.pk),
        ("WARNING", "Paused: account_code, ErrorCode 70009.", notification.pk, None),
    ]
    message = Message("Secret plans", MessageOptions(push_text="Secret as well"))
    target = Target("g", "Public", ["anna"], 7)
    claim = Claim(
        1, 2, 1, CHANNELS["group_message"], message, target, 0.0, AttemptHistory()
    )
    assert "Secret" not in f"{claim}"
    assert "anna" not in f"{claim}"


def test_a_row_of_another_worker_is_left_alone():
    row = make_delivery(status=Delivery.Status.SENDING, owner=8)

    write((row, ACCEPTED))

    assert state(row)[:1] == ("sending",)
    assert AuditEntry.objects.get().action == "late_answer"


@pytest.mark.parametrize("count", [1, 3])
def test_accepted_rows_are_written_with_one_number_of_queries(
    count, django_assert_num_queries
):
    notification = make_notification(status="sending")
    rows = [sending(notification, group=make_group()) for _n in range(count)]

    # notifications, deliveries, accepted, attempts, and the two of cancel_waiting
    with django_assert_num_queries(4):
        write(*[(row, ACCEPTED) for row in rows])


# --- group messages ---------------------------------------------------------------------


def message(**kwargs) -> Delivery:
    return sending(
        make_notification(status="sending", channel="group_message"), **kwargs
    )


def dropped(seq: int = 1) -> Receipt:
    return Receipt(seq, 1772443805, "MsgFreqCtrl")


def columns(row: Delivery) -> tuple:
    row.refresh_from_db()
    return (row.status, row.error_code, row.reason, row.drop_reason, row.msg_seq)


def test_a_receipt_is_stored_with_the_result():
    rows = [message() for _n in range(2)]

    write(
        *[(row, ACCEPTED, Receipt(418 + n, 1772443805)) for n, row in enumerate(rows)]
    )

    assert [columns(row) for row in rows] == [
        ("accepted", 0, "", "", 418),
        ("accepted", 0, "", "", 419),
    ]
    assert {row.msg_time for row in rows} == {1772443805}


def test_a_dropped_message_waits_then_fails():
    row = message()

    assert not write((row, ACCEPTED, dropped()))

    assert columns(row) == ("queued", 0, "dropped", "MsgFreqCtrl", None)
    assert row.not_before == NOW + timedelta(seconds=2)
    assert row.rejection_count == 1
    attempt = row.attempts.get()
    assert (attempt.outcome, attempt.error_code, attempt.drop_reason) == (
        "rejected",
        0,
        "MsgFreqCtrl",
    )

    last = message(rejection_count=3, error_code=0, reason="dropped")
    write((last, ACCEPTED, dropped()))
    assert columns(last) == ("failed", 0, "dropped", "MsgFreqCtrl", None)


@pytest.mark.parametrize(
    ("outcome", "data", "expected"),
    [
        (ACCEPTED, Receipt(7, 1), ("accepted", 0, "", "", 7)),
        (rejected(10010), None, ("failed", 10010, "", "", None)),
        (rejected(60007), None, ("queued", 60007, "", "", None)),
        # the last answer is that of the dropped message
        (NOT_SENT, None, ("queued", 0, "dropped", "MsgFreqCtrl", None)),
        (UNCONFIRMED, None, ("unconfirmed", 0, "no_answer", "MsgFreqCtrl", None)),
        (rejected(10002), None, ("unconfirmed", 10002, "uncertain_code", "", None)),
    ],
)
def test_every_outcome_after_a_dropped_message(outcome, data, expected):
    row = message(error_code=0, reason="dropped", drop_reason="MsgFreqCtrl")

    write((row, outcome, data))

    assert columns(row) == expected


def test_a_dropped_message_fails_with_its_stop():
    row = message()
    row.notification.cancel(Notification.StopReason.PERSON)

    write((row, ACCEPTED, dropped()))

    assert columns(row) == ("failed", 0, "dropped", "MsgFreqCtrl", None)


@pytest.mark.parametrize(
    ("outcome", "is_queried"),
    [(UNCONFIRMED, True), (rejected(10002), True), (rejected(10010), False)],
)
def test_tencent_is_queried_about_a_message_in_doubt(settings, outcome, is_queried):
    settings.IM_QUERY_AFTER_SECONDS = 30
    row = message()
    notice = sending()

    write((row, outcome), (notice, UNCONFIRMED))

    row.refresh_from_db()
    notice.refresh_from_db()
    expected = NOW + timedelta(seconds=30) if is_queried else None
    assert (row.next_query_at, notice.next_query_at) == (expected, None)


def test_twenty_messages_in_doubt_pause_whatever_the_reason():
    notification = make_notification(status="sending", channel="group_message")
    rows = [sending(notification) for _n in range(20)]

    write(*[(row, rejected(10002)) for row in rows])

    notification.refresh_from_db()
    assert notification.paused_reason == "doubt"


def test_a_late_answer_names_the_message():
    row = message()
    Delivery.objects.update(owner=8)

    write((row, ACCEPTED, Receipt(418, 1772443805)))

    detail = AuditEntry.objects.get().detail
    assert (detail["outcome"], detail["msg_seq"], detail["drop_reason"]) == (
        "accepted",
        418,
        "",
    )
