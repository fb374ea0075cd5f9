"""The stored messages of a group, and the questions about its history."""

import threading

import pytest

from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.server import SandboxConfig, SandboxServer
from tests.sandbox.raw import TEXT, ask, history, numbers, send_message

pytestmark = pytest.mark.one_database


@pytest.fixture
def server():
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=10**6)) as running:
        running.add_group("g", "Public", member_count=120)
        running.add_group("live", "AVChatRoom")
        yield running


def test_the_history_of_a_group_without_messages(server):
    answer = history(server)

    assert answer == {
        "ActionStatus": "OK",
        "ErrorInfo": "",
        "ErrorCode": 0,
        "GroupId": "g",
        "IsFinished": 1,
        "RspMsgList": [],
    }


def test_messages_of_many_threads_have_numbers_without_gaps(server):
    """The answers, the history and the journal agree."""
    answers: list[tuple[int, int]] = []

    def send_often(thread: int) -> None:
        for number in range(20):
            random = thread * 100 + number
            answer = send_message(server, Random=random)
            answers.append((answer["MsgSeq"], random))

    threads = [threading.Thread(target=send_often, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    stored = [(m.msg_seq, m.message.random) for m in server.messages("g")]
    # A fast machine sends more than 40 a second: those above are dropped.
    assert sorted(answer for answer in answers if answer[0]) == stored
    assert [msg_seq for msg_seq, _random in stored] == list(range(1, len(stored) + 1))
    assert (
        sorted((entry.msg_seq, entry.random) for entry in server.journal if entry.shown)
        == stored
    )
    assert len(server.journal) == len(answers) == 160


def test_a_row_of_the_history(server):
    sent = send_message(
        server, Random=3141592653, From_Account="announcements", MsgPriority="Low"
    )

    (row,) = history(server)["RspMsgList"]

    assert row == {
        "From_Account": "announcements",
        "IsPlaceMsg": 0,
        "MsgBody": [TEXT],
        "MsgPriority": 3,
        "MsgRandom": 3141592653,
        "MsgSeq": sent["MsgSeq"],
        "MsgTimeStamp": sent["MsgTime"],
    }


def test_pages_go_back_by_number(server):
    for number in range(25):
        send_message(server, Random=number)

    first = history(server)
    second = history(server, ReqMsgSeq=5)
    one = history(server, ReqMsgSeq=3, ReqMsgNumber=1)
    above = history(server, ReqMsgSeq=99, ReqMsgNumber=2)
    none = history(server, ReqMsgSeq=0)

    assert (numbers(first), first["IsFinished"]) == (list(range(25, 5, -1)), 1)
    assert (numbers(second), second["IsFinished"]) == ([5, 4, 3, 2, 1], 1)
    assert [numbers(answer) for answer in (one, above, none)] == [[3], [25, 24], []]


def test_a_page_may_hold_fewer_than_asked_for():
    with SandboxServer(SandboxConfig(groups=[], history_rows=2)) as server:
        server.add_group("g", "Public")
        for number in range(5):
            send_message(server, Random=number)
        pages = [history(server, ReqMsgSeq=newest) for newest in (5, 3, 1)]

    assert [(numbers(page), page["IsFinished"]) for page in pages] == [
        ([5, 4], 0),
        ([3, 2], 0),
        ([1], 1),
    ]


def test_states_in_the_history(server):
    for number in range(1, 6):
        send_message(server, Random=number)
    ask(server, "group_msg_recall", GroupId="g", MsgSeqList=[{"MsgSeq": 4}])
    server.store.lose("g", 3)
    server.store.expire("g", 1)

    without = history(server)
    with_recalled = history(server, WithRecalledMsg=1)

    assert (numbers(without), without["IsFinished"]) == ([5, 3, 2], 2)
    assert numbers(with_recalled) == [5, 4, 3, 2]
    rows = [
        (row["IsPlaceMsg"], row["MsgRandom"], bool(row["MsgBody"]))
        for row in with_recalled["RspMsgList"]
    ]
    assert rows == [(0, 5, True), (2, 4, False), (1, 0, False), (0, 2, True)]


def test_messages_to_named_members_are_not_in_the_history(server):
    server.add_group("g", "Public", members=["anna"])
    send_message(server, Random=1, To_Account=["anna"])
    send_message(server, Random=2)

    assert numbers(history(server)) == [2]
    assert len(server.messages("g")) == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"GroupId": "gone"}, 10010),
        ({"GroupId": "live"}, 10007),
        ({"GroupId": "a b"}, 10015),
        ({"ReqMsgNumber": 21}, 10004),
        ({"ReqMsgNumber": 0}, 10004),
        ({"ReqMsgSeq": -1}, 10004),
        ({"WithRecalledMsg": True}, 10004),
        ({"Limit": 1}, 10004),
    ],
)
def test_questions_that_are_refused(server, fields, code):
    assert history(server, **fields)["ErrorCode"] == code


def test_a_fault_of_the_next_question(server):
    server.fail_next("group_msg_get_simple", "code:10002")
    server.fail_next("group_msg_get_simple", "reset_after")

    refused = history(server)
    with pytest.raises(ConnectionError):
        history(server)

    assert refused["ErrorCode"] == 10002
    assert history(server)["ErrorCode"] == 0
    assert server.calls.codes("group_msg_get_simple") == [10002, None, 0]
    assert (
        server.calls.bodies("group_msg_get_simple")
        == [b'{"GroupId": "g", "ReqMsgNumber": 20}'] * 3
    )


def test_a_new_process_has_the_messages_of_the_journal(tmp_path):
    """A killed sandbox loses no message that it has answered."""
    path = tmp_path / "journal.jsonl"
    group = SandboxGroup("g", "Public")
    config = SandboxConfig(groups=[group], journal_path=path)
    with SandboxServer(config) as server:
        ask(server, "send_group_system_notification", GroupId="g", Content="x")
        sent = [send_message(server, Random=number) for number in (7, 8)]
        send_message(server, Random=9, OnlineOnlyFlag=1)
        before = history(server)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"half": ')

    with SandboxServer(config) as server:
        after = history(server)
        next_one = send_message(server, Random=10)

    assert before == after
    assert [row["MsgTimeStamp"] for row in after["RspMsgList"]] == [
        answer["MsgTime"] for answer in reversed(sent)
    ]
    assert next_one["MsgSeq"] == 3
