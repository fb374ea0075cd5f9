"""A worker takes messages back and corrects them: codes, the switch, the first call."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications import conf
from notifications.amendments.services import correct, recall
from notifications.audit.settings_changes import record_settings
from notifications.delivery.worker import SendWorker
from notifications.models import Channel, Delivery, SendingSwitch, Worker
from notifications.rate_limit.clock import engine_clock
from tests.amendments.conftest import GROUPS, make_sending, work
from tests.factories import (
    make_amending,
    make_amendment,
    make_delivery,
    make_group,
    make_notification,
)

pytestmark = pytest.mark.django_db(transaction=True)


def make_worker(**kwargs) -> SendWorker:
    values = {"stop_requested": lambda: False, "threads": 8} | kwargs
    return SendWorker(conf.connection(), engine_clock(), **values)


@contextmanager
def running_worker() -> Iterator[None]:
    """A worker in a thread, with a connection of its own."""
    is_over = threading.Event()

    def run() -> None:
        try:
            make_worker(stop_requested=is_over.is_set).run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def wait_for(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("is_waiting", [False, True])
def test_the_first_call_follows_the_click_within_two_seconds(
    sandbox, sent, manager, is_waiting
):
    if is_waiting:
        # All messages are known only after the click.
        rows = list(sent.deliveries.values("pk", "msg_seq"))
        sent = make_notification(status="cancelled", channel=Channel.GROUP_MESSAGE)
        original = [
            make_delivery(
                sent,
                make_group(group_id=f"g{row['pk']}"),
                status="sending",
                owner=make_worker_row(),
            )
            for row in rows
        ]
    with running_worker():
        time.sleep(0.6)  # it is idle
        clicked = time.time()
        recall(manager, sent.pk, reason="Wrong date")
        if is_waiting:
            clicked = time.time()
            Delivery.objects.filter(pk__in=[row.pk for row in original]).update(
                status="accepted",
                error_code=0,
                msg_seq=1,
                owner=None,
                finished_at=timezone.now(),
            )
        commands = sandbox.calls
        wait_for(lambda: commands.clocks("group_msg_recall"))
        first = time.monotonic() - commands.clocks("group_msg_recall")[0]

    assert time.time() - clicked - first <= 2


def make_worker_row() -> int:
    row, _is_new = Worker.objects.get_or_create(
        name="another",
        defaults={
            "boot_id": engine_clock().boot_id,
            "lease": 0,
            "heartbeat_at": timezone.now(),
        },
    )
    return row.pk


def test_a_recall_goes_on_while_all_sending_is_stopped(sent, manager, states):
    SendingSwitch.objects.create(pk=1, is_off=True)

    run = recall(manager, sent.pk, reason="Wrong date").run
    work()

    run.refresh_from_db()
    assert run.status == "completed"
    assert states() == dict.fromkeys(GROUPS, "")


def test_a_correction_waits_while_all_sending_is_stopped(sent, manager):
    SendingSwitch.objects.create(pk=1, is_off=True)

    run = correct(manager, sent.pk, content="New text")
    work()  # it ends at once

    run.refresh_from_db()
    assert run.status == "sending"
    assert run.deliveries.filter(status="queued").count() == 2


@pytest.mark.parametrize("channel", [Channel.RECALL, Channel.CORRECTION])
@pytest.mark.parametrize("is_off", [False, True])
def test_a_worker_until_idle_waits_for_a_row_that_waits(channel, is_off):
    SendingSwitch.objects.create(pk=1, is_off=is_off)
    original = make_notification(status="cancelled", channel=Channel.GROUP_MESSAGE)
    amended = make_delivery(
        original, status="unconfirmed", next_query_at=timezone.now()
    )
    make_amending(
        make_amendment(original, channel=channel),
        amended,
        not_before=timezone.now() + timedelta(minutes=1),
    )

    is_idle = make_worker()._is_idle()

    assert is_idle == (is_off and channel == Channel.CORRECTION)


@pytest.mark.parametrize(
    ("fault", "status", "code", "is_queried"),
    [
        ("ret_code:10030", "unconfirmed", 10030, True),
        ("ret_code:10032", "unconfirmed", 10032, True),
        ("ret_code:10031", "failed", 10031, False),
        ("ret_code:10033", "failed", 10033, False),
        ("ret_code:77777", "unconfirmed", 77777, True),
        ("code:10010", "failed", 10010, False),
        ("reset_after", "unconfirmed", None, True),
    ],
)
def test_the_code_of_the_message_is_the_result(
    sandbox, sent, manager, fault, status, code, is_queried
):
    sandbox.set_fault("plaza", fault, command="group_msg_recall")

    run = recall(manager, sent.pk, reason="Wrong date").run
    work()

    row = run.deliveries.get(group_id="plaza")
    assert (row.status, row.error_code) == (status, code)
    assert (row.next_query_at is not None) == is_queried
    others = run.deliveries.exclude(group_id="plaza")
    assert {one.status for one in others} == {"accepted"}


def test_a_live_room_without_a_history_fails_with_the_code(sandbox, sent, manager):
    sandbox.set_fault("live", "ret_code:10030", command="group_msg_recall")

    run = recall(manager, sent.pk, reason="Wrong date").run
    work()

    row = run.deliveries.get(group_id="live")
    assert (row.status, row.error_code, row.next_query_at) == ("failed", 10030, None)


def test_a_refusal_that_is_looked_up_is_queried_at_once_and_no_doubt(
    sandbox, settings, tmp_path, manager
):
    settings.STATE_DIR = tmp_path
    sent = make_sending(sandbox)
    for n in range(25):
        group = make_group(group_id=f"g{n}")
        sandbox.add_group(group.group_id, "Public")
        make_delivery(sent, group, not_before=timezone.now())
    work()
    for group_id in sent.deliveries.values_list("group_id", flat=True):
        sandbox.recall_by_others(group_id, 1)

    run = recall(manager, sent.pk, reason="Wrong date").run
    work()

    run.refresh_from_db()
    assert run.status == "completed"  # it was not paused
    rows = run.deliveries.exclude(group_id="live")
    assert {row.status for row in rows} == {"unconfirmed"}
    assert all(row.next_query_at <= timezone.now() for row in rows)


def test_switched_off_recalls_pause_and_lose_nothing(sandbox, sent, manager):
    sandbox.set_fault("plaza", "ret_code:10041", command="group_msg_recall")
    sandbox.set_fault("hikers", "ret_code:10041", command="group_msg_recall")
    sandbox.set_fault("live", "ret_code:10041", command="group_msg_recall")

    run = recall(manager, sent.pk, reason="Wrong date").run
    work()

    run.refresh_from_db()
    assert (run.status, run.paused_code) == ("paused", 10041)
    assert {row.status for row in run.deliveries.all()} == {"queued"}


def test_a_message_of_another_application_is_not_taken_back(
    manager, sent, settings, states
):
    """Its groups have the same IDs there, and messages of other people."""
    run = recall(manager, sent.pk, reason="Wrong date").run
    # The application was changed between the send and now.
    present = settings.IM_REGION
    settings.IM_REGION = "singapore"
    record_settings("worker")
    settings.IM_REGION = present
    record_settings("worker")

    work()

    rows = run.deliveries.order_by().values_list("status", "reason", "attempt_count")
    assert set(rows) == {("failed", "not_known", 0)}
    assert states() == dict.fromkeys(GROUPS, sent.content)
