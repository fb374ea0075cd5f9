"""Recalls and corrections in the engine: rows that wait for the message they change."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from notifications.delivery import claim as claiming
from notifications.delivery import controls
from notifications.delivery.amendments import WAIT, settle_waiting
from notifications.delivery.channels import CHANNELS
from notifications.delivery.claim import channels_due, running
from notifications.delivery.recovery import give_up_lost_rows, repair_clock_jump
from notifications.delivery.restore_guard import quarantine_restored
from notifications.delivery.waiting import Facts, WaitReason, facts_of, wait_state
from notifications.models import Channel, Delivery, Notification, SendingSwitch
from tests.factories import (
    MOMENT,
    make_amending,
    make_amendment,
    make_delivery,
    make_notification,
    make_user,
)
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db

LATER = MOMENT + timedelta(seconds=1)


@pytest.fixture
def original() -> Notification:
    return make_notification(status="cancelled", channel=Channel.GROUP_MESSAGE)


@pytest.fixture
def recall(original) -> Notification:
    return make_amendment(original)


def wait_for(run: Notification, amended: Delivery, **kwargs: object) -> Delivery:
    return make_amending(run, amended, not_before=MOMENT + WAIT, **kwargs)


def change(delivery: Delivery, **changes: object) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(**changes)


def state(row: Delivery) -> tuple[str, str, bool]:
    """The status, the reason, and whether a call is due."""
    row.refresh_from_db()
    return row.status, row.reason, row.status == "queued" and row.not_before <= LATER


def claim_recalls(now=LATER, count: int = 8) -> list[claiming.Claim]:
    slots = [float(n) for n in range(count)]
    return claiming.claim(1, CHANNELS[Channel.RECALL], running(now), slots, now)


WAITS = ("queued", "", False)
DUE = ("queued", "", True)


@pytest.mark.parametrize(
    ("amended", "result"),
    [
        ({"status": "accepted", "msg_seq": 7}, DUE),
        ({"status": "accepted"}, ("failed", "not_known", False)),
        ({"status": "accepted", "msg_seq": 0}, ("failed", "not_known", False)),
        ({"status": "failed"}, ("cancelled", "", False)),
        ({"status": "cancelled"}, ("cancelled", "", False)),
        ({"status": "unconfirmed"}, ("failed", "not_known", False)),
        ({"status": "unconfirmed", "next_query_at": MOMENT}, WAITS),
        ({"status": "sending"}, WAITS),
        ({"status": "queued"}, WAITS),
    ],
)
def test_what_becomes_of_a_row_when_its_message_is_settled(
    original, recall, amended, result
):
    row = wait_for(recall, make_delivery(original, **amended))

    settle_waiting(LATER)

    assert state(row) == result


def test_a_row_of_an_archived_delivery_has_no_message(original, recall):
    amended = make_delivery(original, status="accepted", msg_seq=7)
    row = wait_for(recall, amended, amended_delivery=amended.pk + 1000)

    settle_waiting(LATER)

    assert state(row) == ("failed", "not_known", False)


def test_a_paused_run_is_settled_and_a_retry_is_left_alone(original):
    paused = make_amendment(original, status="paused")
    amended = make_delivery(original, status="accepted", msg_seq=7)
    row = wait_for(paused, amended)
    retried = wait_for(
        make_amendment(original),
        make_delivery(original, status="accepted", msg_seq=8),
        attempt_count=1,
    )

    settle_waiting(LATER)

    assert state(row) == DUE
    assert state(retried) == WAITS
    assert claim_recalls() == []


def test_a_stop_cancels_what_waits(original, recall):
    row = wait_for(recall, make_delivery(original, status="sending"))

    controls.stop(make_user(superuser=True, username="boss"), recall.pk)
    settle_waiting(LATER)

    assert state(row) == ("cancelled", "", False)


def test_settling_takes_the_same_number_of_queries(original, django_assert_num_queries):
    with django_assert_num_queries(1):
        settle_waiting(LATER)
    run = make_amendment(original)
    for n in range(20):
        wait_for(run, make_delivery(original, status="accepted", msg_seq=1 + n))
        wait_for(run, make_delivery(original, status="failed"))
        wait_for(run, make_delivery(original, status="unconfirmed"))
        wait_for(run, make_delivery(original, status="sending"))
    with django_assert_num_queries(9):  # with those of the savepoint
        settle_waiting(LATER)
    with django_assert_num_queries(4):
        settle_waiting(LATER)


# --- the claim ----------------------------------------------------------------------------


def test_a_claim_copies_the_name_of_the_message(original, recall):
    rows = [
        make_amending(
            recall, make_delivery(original, status="accepted", msg_seq=number)
        )
        for number in (418, 419)
    ]

    claims = claim_recalls()

    assert [one.delivery_id for one in claims] == [row.pk for row in rows]
    assert [one.target.msg_seq for one in claims] == [418, 419]
    assert [one.call.payload()["MsgSeqList"] for one in claims] == [
        [{"MsgSeq": 418}],
        [{"MsgSeq": 419}],
    ]
    stored = Delivery.objects.filter(notification=recall).order_by("pk")
    assert list(stored.values_list("status", "msg_seq", "random")) == [
        ("sending", 418, None),
        ("sending", 419, None),
    ]


@pytest.mark.parametrize(
    "amended",
    [
        {"status": "sending"},
        {"status": "queued"},
        {"status": "failed"},
        {"status": "cancelled"},
        {"status": "unconfirmed"},
        {"status": "accepted"},
        {"status": "accepted", "msg_seq": 0},
    ],
)
def test_a_row_without_a_known_message_is_never_claimed(original, recall, amended):
    row = make_amending(recall, make_delivery(original, **amended))
    known = make_delivery(original, status="accepted", msg_seq=7)
    good = make_amending(recall, known)

    assert [one.delivery_id for one in claim_recalls()] == [good.pk]

    row.refresh_from_db()
    assert (row.status, row.attempt_count) == ("queued", 0)
    assert row.not_before == LATER + WAIT
    assert claim_recalls() == []


@pytest.mark.django_db(transaction=True)
def test_a_result_that_another_transaction_writes_during_the_claim(original, recall):
    """The call is still in progress for the claim; its result makes the row due."""
    amended = make_delivery(original, status="sending")
    row = make_amending(recall, amended)

    def write_result() -> None:
        change(
            amended,
            status="accepted",
            error_code=0,
            msg_seq=7,
            owner=None,
            finished_at=MOMENT,
        )

    def claim() -> list[claiming.Claim]:
        with transaction.atomic():
            return claim_recalls()

    claimed, written = interleave(
        claim, write_result, at="notifications.delivery.amendments.postpone"
    )

    assert claimed == []
    assert not isinstance(written, BaseException)
    settle_waiting(LATER)
    assert state(row) == DUE
    assert len(claim()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_stop_during_settling_cancels_the_row(original, recall):
    row = wait_for(recall, make_delivery(original, status="accepted", msg_seq=7))
    boss = make_user(superuser=True, username="boss")

    _settled, stopped = interleave(
        lambda: settle_waiting(LATER),
        lambda: controls.stop(boss, recall.pk),
        at="notifications.delivery.amendments.amended_messages",
    )

    assert not isinstance(stopped, BaseException)
    assert state(row) == ("cancelled", "", False)


@pytest.mark.django_db(transaction=True)
def test_a_result_during_settling_makes_no_wrong_verdict(original, recall):
    """The message fails between two statements: the row waits one second more."""
    amended = make_delivery(original, status="sending")
    row = wait_for(recall, amended)
    first = wait_for(recall, make_delivery(original, status="accepted", msg_seq=7))

    interleave(
        lambda: settle_waiting(LATER),
        lambda: change(
            amended, status="failed", error_code=10010, owner=None, finished_at=MOMENT
        ),
        at="notifications.delivery.amendments.amended_messages",
    )
    assert state(first) == DUE
    settle_waiting(LATER)

    assert state(row) == ("cancelled", "", False)


# --- the rest of the engine ----------------------------------------------------------------


def test_the_clock_of_another_machine_may_be_late(original, recall):
    make_amending(recall, make_delivery(original, status="sending", random=7),
        not_before=LATER + WAIT)  # fmt: skip

    assert repair_clock_jump(LATER - timedelta(seconds=20)) == 0


def test_a_clock_that_was_set_back(original, recall):
    row = wait_for(recall, make_delivery(original, status="accepted", msg_seq=7))
    change(row, not_before=MOMENT + timedelta(hours=1))

    repair_clock_jump(LATER)

    assert state(row) == DUE


def working(run: Notification) -> Facts:
    return replace(facts_of(run, LATER), has_worker=True)


def test_the_switch_does_not_stop_a_recall(original, recall):
    SendingSwitch.objects.create(pk=1, is_off=True)
    correction = make_amendment(original, channel=Channel.CORRECTION)
    for run in (recall, correction):
        make_amending(run, make_delivery(original, status="accepted", msg_seq=7))

    assert channels_due(LATER) == {Channel.RECALL}
    counts = {"queued": 1, "sending": 0}
    reasons = [
        wait_state(run, counts, working(run)).reason for run in (recall, correction)
    ]
    assert reasons == [WaitReason.RATE_LIMIT, WaitReason.SENDING_STOPPED]


def test_a_run_that_waits_for_results_says_so(original, recall):
    wait_for(recall, make_delivery(original, status="sending"))

    waiting = wait_state(recall, {"queued": 1, "sending": 0}, working(recall))

    assert waiting.reason is WaitReason.AMENDED


@pytest.mark.parametrize(
    ("group_type", "is_queried"), [("Public", 1), ("AVChatRoom", 0)]
)
def test_a_call_of_a_dead_worker_is_looked_up(original, recall, group_type, is_queried):
    amended = make_delivery(
        original, status="accepted", msg_seq=7, group_type=group_type
    )
    row = make_amending(recall, amended, status="sending")

    give_up_lost_rows(2, LATER)

    row.refresh_from_db()
    assert (row.status, row.reason) == ("unconfirmed", "worker_lost")
    assert (row.next_query_at is not None) == bool(is_queried)
    assert claim_recalls(LATER + timedelta(hours=1)) == []  # never called again


def test_after_a_restore_nothing_is_called(original, recall):
    amended = make_delivery(original, status="accepted", msg_seq=7)
    rows = [
        make_amending(recall, amended),
        make_amending(
            recall,
            make_delivery(original, status="accepted", msg_seq=8),
            status="sending",
        ),
        wait_for(recall, make_delivery(original, status="unconfirmed")),
    ]

    quarantine_restored("operator")

    recall.refresh_from_db()
    assert (recall.status, recall.paused_reason) == ("paused", "restored")
    assert {state(row)[:2] for row in rows} == {("unconfirmed", "restored")}
