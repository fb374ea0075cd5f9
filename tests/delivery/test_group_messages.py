"""Group messages through the worker and the sandbox."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from notifications import conf
from notifications.delivery.worker import SendWorker
from notifications.models import AuditEntry, Channel, Delivery, Notification, Pace
from notifications.rate_limit.clock import engine_clock
from notifications.sandbox.messages import DROPPED, MessageStore, Receipt
from notifications.sandbox.server import SandboxServer
from tests.factories import make_delivery, make_group, make_notification
from tests.tencent.test_request import RECORDED
from tests.tencent.wire import OK, FaultServer, body

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGE = Channel.GROUP_MESSAGE
NOTICE = Channel.SYSTEM_NOTIFICATION


@pytest.fixture(autouse=True)
def _own_state(settings, tmp_path) -> None:
    settings.STATE_DIR = tmp_path


def send_to(
    sandbox: SandboxServer,
    faults: dict[str, str],
    *,
    channel: str = MESSAGE,
    **kwargs: Any,
) -> Notification:
    """A running notification to one group per entry, each with its fault."""
    notification = make_notification(status="sending", channel=channel, **kwargs)
    for group_id, fault in faults.items():
        make_delivery(notification, make_group(group_id=group_id))
        sandbox.add_group(group_id, "Public", fault=fault)
    return notification


def work(threads: int = 8) -> None:
    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=threads,
    ).run()


def results(notification: Notification) -> dict[str, tuple]:
    return {
        row.group_id: (row.status, row.error_code, row.reason, row.attempt_count)
        for row in notification.deliveries.order_by("id")
    }


def messages_in(sandbox: SandboxServer) -> list[dict]:
    return [json.loads(one) for one in sandbox.calls.bodies("send_group_msg")]


def test_every_outcome_is_recorded_and_may_be_queried(sandbox):
    notification = send_to(
        sandbox,
        {
            "ok": "",
            "gone": "code:10010",
            "callback": "code:10016",
            "busy": "code_times:60007:1",
            "internal": "shown_then_code:10002",
            "odd": "code:123456",
            "lost": "reset_after",
            "absent": "reset_before",
        },
        message_options='{"from_account": "announcements"}',
    )

    work()

    assert results(notification) == {
        "ok": ("accepted", 0, "", 1),
        "gone": ("failed", 10010, "", 1),
        "callback": ("failed", 10016, "", 1),
        "busy": ("accepted", 0, "", 2),
        "internal": ("unconfirmed", 10002, "uncertain_code", 1),
        "odd": ("unconfirmed", 123456, "uncertain_code", 1),
        "lost": ("unconfirmed", None, "connection_lost", 1),
        "absent": ("unconfirmed", None, "connection_lost", 1),
    }
    rows = {row.group_id: row for row in notification.deliveries.all()}
    queried = {name for name, row in rows.items() if row.next_query_at}
    assert queried == {"internal", "odd", "lost", "absent"}
    (stored,) = sandbox.messages("ok")
    assert (rows["ok"].msg_seq, rows["ok"].msg_time) == (
        stored.msg_seq,
        stored.msg_time,
    )
    assert stored.message.random == rows["ok"].random
    assert stored.from_account == "announcements"
    attempt = rows["ok"].attempts.get()
    assert (attempt.msg_seq, attempt.msg_time) == (stored.msg_seq, stored.msg_time)
    # The ErrorCode of an answer is recorded, also when the delivery stays unconfirmed.
    assert rows["internal"].attempts.get().error_code == 10002


def test_the_number_is_stored_before_the_first_byte_leaves(sandbox, monkeypatch):
    stored = []
    receive = SandboxServer.receive

    def look_first(server: SandboxServer, target: str, content: bytes) -> Any:
        group_id = json.loads(content)["GroupId"]
        columns = ("status", "random")
        stored.append(Delivery.objects.values_list(*columns).get(group_id=group_id))
        connection.close()  # of this thread
        return receive(server, target, content)

    monkeypatch.setattr(SandboxServer, "receive", look_first)
    send_to(sandbox, {f"g{n}": "" for n in range(5)})

    work()

    sent = [request["Random"] for request in messages_in(sandbox)]
    assert sorted(stored) == [("sending", number) for number in sorted(sent)]
    assert len(set(sent)) == 5


def test_each_attempt_has_the_same_request(sandbox):
    send_to(
        sandbox,
        {"busy": "code_times:60007:1", "late": "code_times:80003:1"},
        message_options='{"priority": "High", "custom_data": "{}"}',
    )

    work()

    requests = messages_in(sandbox)
    assert len(requests) == 4
    for group_id in ("busy", "late"):
        first, second = (r for r in requests if r["GroupId"] == group_id)
        assert first == second
        assert first["Random"] == Delivery.objects.get(group_id=group_id).random


@pytest.fixture
def drops_once(monkeypatch) -> Iterator[None]:
    """The first message to each group is above the limit of its group."""
    seen = set()
    add = MessageStore.add

    def add_second(store: MessageStore, message: Any, *args: Any, **kwargs: Any) -> Any:
        if message.group_id in seen:
            return add(store, message, *args, **kwargs)
        seen.add(message.group_id)
        return Receipt(0, int(kwargs["now"]), DROPPED)

    monkeypatch.setattr(MessageStore, "add", add_second)
    return None


def test_a_dropped_message_is_refused_and_sent_again(sandbox, drops_once):
    notification = send_to(sandbox, {"g": ""})

    work()

    assert results(notification) == {"g": ("accepted", 0, "", 2)}
    row = notification.deliveries.get()
    assert (row.drop_reason, row.msg_seq) == ("", 1)
    columns = ("outcome", "error_code", "msg_seq", "drop_reason")
    assert [*row.attempts.order_by("number").values_list(*columns)] == [
        ("rejected", 0, 0, DROPPED),
        ("accepted", 0, 1, ""),
    ]
    # The limit of one group does not slow down the others.
    assert Pace.objects.get(name__endswith=":send_group_msg").slow_until == 0


@pytest.mark.parametrize(
    ("channel", "code", "reason", "status"),
    [
        (MESSAGE, 80001, "text_code", "failed"),
        (MESSAGE, 80101, "text_code", "failed"),
        (MESSAGE, 10007, "account_code", "queued"),
        (MESSAGE, 10026, "account_code", "queued"),
        (MESSAGE, 60017, "account_code", "queued"),
        (MESSAGE, 10059, "account_code", "queued"),
        (NOTICE, 10007, "", "failed"),
        (MESSAGE, 10016, "", "failed"),
    ],
)
def test_what_a_code_is_about_depends_on_the_call(
    sandbox, channel, code, reason, status
):
    notification = send_to(sandbox, {"g": f"code:{code}"}, channel=channel)

    work()

    paused = AuditEntry.objects.filter(action="paused").values_list("detail", flat=True)
    detail = {"reason": reason, "channel": channel, "code": code}
    assert [*paused] == ([detail] if reason else [])
    assert results(notification) == {"g": (status, code, "", 1)}


def test_two_channels_go_side_by_side_at_their_own_pace(sandbox, settings):
    settings.IM_CALLS_PER_SECOND = 20  # of each call
    running = [
        send_to(sandbox, {f"{word}{n}": "" for n in range(40)}, channel=word)
        for word in (NOTICE, MESSAGE)
    ]

    work(threads=4)

    for notification in running:
        assert notification.deliveries.filter(status="accepted").count() == 40
    commands = ("send_group_system_notification", "send_group_msg")
    times = [sorted(sandbox.calls.clocks(command)) for command in commands]
    for command in commands:
        assert sandbox.calls.most_in_window(command) <= 20
    # Neither waited for the other: they share the threads.
    assert times[0][0] < times[1][20]
    assert times[1][0] < times[0][20]
    # Each has its own row, which also counts claims whose slot was missed.
    rows = Pace.objects.order_by("name").values_list("name", "claimed")
    assert [(name.partition(":")[2], n >= 40) for name, n in rows] == [
        ("send_group_msg", True),
        ("send_group_system_notification", True),
    ]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda row: row["arguments"][1])
def test_the_request_of_a_system_notification_is_that_of_release_0_1(
    settings, recorded
):
    group_id, group_type, content, recipients = recorded["arguments"]
    with FaultServer(body(OK)) as server:
        settings.IM_BASE_URL = server.url
        notification = make_notification(
            status="sending", content=content, recipients="\n".join(recipients or ())
        )
        make_delivery(notification, make_group(group_id=group_id, type=group_type))

        work(threads=1)

    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    names = [line.partition(":")[0] for line in head.decode().split("\r\n")[1:]]
    assert names == [line.partition(":")[0] for line in recorded["head"][1:]]
    assert sent == recorded["body"].encode()
