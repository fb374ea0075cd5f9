"""send_group_msg of the sandbox: its rules, its answers, its faults."""

import contextlib
import time

import pytest

from notifications.sandbox.application import REWRITTEN, Application
from notifications.sandbox.message_request import Message
from notifications.sandbox.messages import MessageStore
from notifications.sandbox.server import SandboxConfig, SandboxServer
from tests.sandbox.raw import (
    TEXT,
    ask,
    send_message,
    text_element,
    wait_for,
)

pytestmark = pytest.mark.one_database


@pytest.fixture
def server():
    config = SandboxConfig(groups=[], calls_per_second=10**6)
    with SandboxServer(config) as running:
        for group_type in (
            "Private",
            "Public",
            "ChatRoom",
            "Community",
            "AVChatRoom",
            "BChatRoom",
            "Topic",
        ):
            running.add_group(group_type, group_type, members=["anna", "ben"])
        yield running


@pytest.mark.parametrize(
    "group_type", ["Private", "Public", "ChatRoom", "Community", "AVChatRoom"]
)
def test_a_message_has_a_number_and_a_time(server, group_type):
    first = send_message(server, group_type, Random=1)
    second = send_message(server, group_type, Random=2, From_Account="announcements")

    assert [answer["MsgSeq"] for answer in (first, second)] == [1, 2]
    assert abs(first["MsgTime"] - time.time()) < 30
    assert first.keys() == {
        "ActionStatus",
        "ErrorInfo",
        "ErrorCode",
        "MsgTime",
        "MsgSeq",
    }
    stored = server.messages(group_type)
    assert [(m.msg_seq, m.message.random, m.from_account, m.text) for m in stored] == [
        (1, 1, "administrator", "Hi 你好"),
        (2, 2, "announcements", "Hi 你好"),
    ]
    assert [entry.msg_seq for entry in server.journal] == [1, 2]


@pytest.mark.parametrize(
    ("group_type", "fields", "code"),
    [
        ("gone", {}, 10010),
        ("BChatRoom", {}, 10007),
        ("Topic", {}, 10007),
        ("Public", {"From_Account": "anna"}, 0),
        ("Public", {"From_Account": "ghost"}, 10019),
        ("Public", {"From_Account": "muted_sender"}, 10017),
        ("Public", {"OnlineOnlyFlag": 1}, 0),
        ("Community", {"OnlineOnlyFlag": 1}, 0),
        ("AVChatRoom", {"OnlineOnlyFlag": 1}, 10004),
        ("AVChatRoom", {"OnlineOnlyFlag": 0}, 0),
        ("Public", {"SendMsgControl": ["NoUnread", "NoLastMsg"]}, 0),
        ("ChatRoom", {"SendMsgControl": ["NoLastMsg"]}, 0),
        ("ChatRoom", {"SendMsgControl": ["NoUnread"]}, 10004),
        ("AVChatRoom", {"SendMsgControl": ["NoLastMsg"]}, 10004),
        ("Public", {"To_Account": ["anna", "ben"]}, 0),
        ("ChatRoom", {"To_Account": ["anna"]}, 0),
        ("Public", {"To_Account": ["ghost"]}, 10019),
        ("Community", {"To_Account": ["anna"]}, 10004),
        ("AVChatRoom", {"To_Account": ["anna"]}, 10004),
        ("Public", {"GroupAtInfo": [{"GroupAtAllFlag": 1}]}, 0),
        ("AVChatRoom", {"GroupAtInfo": [{"GroupAtAllFlag": 1}]}, 10004),
        ("Public", {"TopicId": "t"}, 10004),
        ("Community", {"TopicId": "t"}, 0),
    ],
)
def test_the_rules_of_each_group_type(server, group_type, fields, code):
    answer = send_message(server, group_type, **fields)

    assert answer["ErrorCode"] == code
    assert len(server.messages(group_type)) == (
        code == 0 and fields.get("OnlineOnlyFlag") != 1
    )


def test_a_message_for_those_online_is_not_stored(server):
    answer = send_message(server, "Public", OnlineOnlyFlag=1)

    assert answer["MsgSeq"] == 0
    assert server.messages("Public") == []
    assert [(entry.shown, entry.msg_seq) for entry in server.journal] == [(True, 0)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("old", (0, 2)),
        ("new", (0, 3)),
        ("zero", (0, 0)),
        ("error", (10004, None)),
    ],
)
def test_a_repeat_is_stored_once(server, answer, expected):
    server.change_application(repeats=answer)
    send_message(server, "Public", Random=7)
    send_message(server, "Public", Random=8)

    repeat = send_message(server, "Public", Random=8)
    other_group = send_message(server, "Private", Random=8)
    other_text = send_message(server, "Public", Random=8, MsgBody=[text_element("x")])

    assert (repeat["ErrorCode"], repeat.get("MsgSeq")) == expected
    assert [m.message.random for m in server.messages("Public")] == [7, 8, 8]
    assert other_group["MsgSeq"] == 1
    assert other_text["MsgSeq"] == server.messages("Public")[-1].msg_seq
    assert [e.dropped for e in server.journal] == ["", "", "repeat", "", ""]


def test_after_the_window_the_same_message_is_another_one():
    with SandboxServer(SandboxConfig(groups=[], repeat_seconds=0)) as server:
        server.add_group("g", "Public")
        msg_seqs = [send_message(server)["MsgSeq"] for _n in range(2)]

    assert msg_seqs == [1, 2]


def test_more_than_forty_a_second_in_a_group_are_dropped_with_ok(server):
    answers = [send_message(server, "Public", Random=n) for n in range(80)]
    in_other_group = send_message(server, "Private", Random=1)

    # How many are dropped depends on the speed of the machine.
    dropped = [answer for answer in answers if "MsgDropReason" in answer]
    assert len(server.messages("Public")) == 80 - len(dropped)
    for answer in dropped:
        assert (answer["ErrorCode"], answer["MsgSeq"]) == (0, 0)
        assert answer["MsgDropReason"] == "MsgFreqCtrl"
    assert "MsgDropReason" not in in_other_group


def test_the_limit_of_a_group_and_the_window_of_repeats():
    store = MessageStore()

    def add(number: int, clock: float):
        return store.add(Message("g", number, [TEXT]), [TEXT], "a", clock=clock, now=9)

    first = [add(number, 0.5).msg_seq for number in range(40)]
    above = [add(40, clock).dropped for clock in (0.5, 1.4)]
    later = add(40, 1.5)
    repeats = [add(number, 300.4) for number in (0, 40)]
    after_five_minutes = [add(number, 301.4) for number in (0, 40)]

    assert first == list(range(1, 41))
    assert above == ["MsgFreqCtrl"] * 2
    assert (later.msg_seq, later.dropped) == (41, "")
    assert [(r.msg_seq, r.is_repeat) for r in repeats] == [(1, True), (41, True)]
    assert [(r.msg_seq, r.is_repeat) for r in after_five_minutes] == [
        (42, False),
        (41, True),
    ]


@pytest.mark.parametrize(
    ("callback", "code", "text"),
    [
        ("", 0, "Hi 你好"),
        ("refuse", 10016, None),
        ("fail", 80003, None),
        ("rewrite", 0, "Hi 你好" + REWRITTEN),
    ],
)
def test_the_callback_of_the_app(server, callback, code, text):
    server.change_application(callback=callback)

    answer = send_message(server, "Public")
    spared = send_message(
        server,
        "Private",
        ForbidCallbackControl=["ForbidBeforeSendMsgCallback"],
    )

    assert answer["ErrorCode"] == code
    assert [m.text for m in server.messages("Public")] == ([text] if text else [])
    assert (spared["ErrorCode"], server.messages("Private")[0].text) == (0, "Hi 你好")


def test_what_the_application_may_do(server):
    server.change_application(edition="professional")
    named = send_message(server, "Public", To_Account=["anna"])
    server.change_application(new_customer=True, switched_off={"send_group_msg": 60017})
    notice = ask(
        server, "send_group_system_notification", GroupId="Public", Content="x"
    )
    message = send_message(server, "Public")

    assert [a["ErrorCode"] for a in (named, notice, message)] == [10059, 10026, 60017]
    assert [entry.shown for entry in server.journal] == [False] * 3
    with pytest.raises(ValueError, match="is none of"):
        Application(edition="gold")


@pytest.mark.parametrize(
    ("fault", "stored"),
    [
        ("reset_before", False),
        ("silent_before", False),
        ("code:10002", False),
        ("redirect", False),
        ("reset_after", True),
        ("close_after", True),
        ("no_answer", True),
        ("shown_then_code:10002", True),
        ("shown_late:20", True),
        ("chunked", True),
    ],
)
def test_a_fault_stores_the_message_or_does_not(server, fault, stored):
    server.set_fault("Public", fault)
    server.stopping.set()  # no wait takes time

    with contextlib.suppress(OSError):
        answer = send_message(server, "Public")
        assert (answer["ErrorCode"], answer.get("MsgSeq")) in [(0, 1), (10002, None)]

    wait_for(lambda: len(server.journal) == 1)
    assert [entry.shown for entry in server.journal] == [stored]
    assert len(server.messages("Public")) == stored


def test_a_late_message_gets_its_number_late(server):
    server.set_fault("Public", "shown_late:60000")
    with contextlib.suppress(OSError):
        send_message(server, "Public", Random=1)
    server.set_fault("Public", "")
    in_time = send_message(server, "Public", Random=2)["MsgSeq"]
    server.stopping.set()  # ends the wait

    wait_for(lambda: len(server.messages("Public")) == 2)

    assert in_time == 1
    assert [m.message.random for m in server.messages("Public")] == [2, 1]


def test_a_broadcast_reaches_every_live_room(server):
    server.add_group("live", "AVChatRoom")
    fields = {"Random": 1, "MsgBody": [TEXT], "From_Account": "announcements"}

    sent = ask(server, "send_broadcast_msg", **fields)
    too_fast = ask(server, "send_broadcast_msg", **fields | {"Random": 2})

    assert (sent["ErrorCode"], sent["MsgSeq"]) == (0, 1)
    assert too_fast["ErrorCode"] == 60007
    for group_id in ("live", "AVChatRoom"):
        (message,) = server.messages(group_id)
        assert (message.text, message.from_account) == ("Hi 你好", "announcements")
    assert server.messages("Public") == []


def test_a_broadcast_needs_an_edition(server):
    server.change_application(edition="professional")

    answer = ask(server, "send_broadcast_msg", Random=1, MsgBody=[TEXT])

    assert answer["ErrorCode"] == 10059
