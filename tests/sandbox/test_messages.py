"""What can be asked and changed of messages that were sent."""

import pytest

from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.server import SandboxConfig, SandboxServer
from tests.sandbox.raw import TEXT, ask, send_message, text_element

pytestmark = pytest.mark.one_database


@pytest.fixture
def server():
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=10**6)) as running:
        running.add_group("g", "Public", member_count=120)
        running.add_group("live", "AVChatRoom")
        yield running


def history(server, **fields):
    return ask(
        server, "group_msg_get_simple", **{"GroupId": "g", "ReqMsgNumber": 20} | fields
    )


def numbers(answer):
    return [row["MsgSeq"] for row in answer["RspMsgList"]]


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


def recall(server, *msg_seqs, **fields):
    items = [{"MsgSeq": msg_seq} for msg_seq in msg_seqs]
    return ask(
        server, "group_msg_recall", **{"GroupId": "g", "MsgSeqList": items} | fields
    )


def ret_codes(answer):
    return [row["RetCode"] for row in answer["RecallRetList"]]


def test_each_message_has_its_code_when_taken_back(server):
    send_message(server, Random=1)
    send_message(server, Random=2)
    send_message(server, "live")

    assert ret_codes(recall(server, 1, 9, Reason="wrong date")) == [0, 10030]
    assert ret_codes(recall(server, 1)) == [10032]
    assert ret_codes(recall(server, 1, GroupId="live")) == [0]
    server.change_application(switched_off={"group_msg_recall": 10041})
    assert ret_codes(recall(server, 2)) == [10041]
    server.change_application(switched_off={"group_msg_recall": 10026})
    assert recall(server, 2)["ErrorCode"] == 10026
    assert [message.state for message in server.messages("g")] == [2, 0]


@pytest.mark.parametrize(
    ("msg_seqs", "fields", "code"),
    [
        (range(11), {}, 10004),
        ((), {}, 10004),
        ((1,), {"Reason": "中" * 34}, 10004),
        ((1,), {"GroupId": "gone"}, 10010),
    ],
)
def test_recalls_that_are_refused(server, msg_seqs, fields, code):
    assert recall(server, *msg_seqs, **fields)["ErrorCode"] == code


def test_faults_of_a_recall(server):
    """Its answer can be lost with and without an effect; the history knows."""
    send_message(server, Random=1)
    send_message(server, Random=2)
    for msg_seq, fault in ((1, "reset_before"), (2, "reset_after")):
        server.fail_next("group_msg_recall", fault)
        with pytest.raises(ConnectionError):
            recall(server, msg_seq)

    rows = history(server, WithRecalledMsg=1)["RspMsgList"]

    assert [(row["MsgSeq"], row["IsPlaceMsg"]) for row in rows] == [(2, 2), (1, 0)]


def correct(server, msg_seq=1, group_id="g", **fields):
    return ask(server, "modify_group_msg", GroupId=group_id, MsgSeq=msg_seq, **fields)


def test_a_corrected_message(server):
    send_message(server)
    body = [text_element("23:30")]

    answers = [correct(server, MsgBody=body) for _n in range(2)]
    correct(server, CloudCustomData="x")

    assert [answer["ErrorCode"] for answer in answers] == [0, 0]
    (row,) = history(server)["RspMsgList"]
    assert row["MsgBody"] == body
    (stored,) = server.messages("g")
    assert (stored.corrected, stored.custom_data, stored.text) == (True, "x", "23:30")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 20001),
        ({"msg_seq": 9, "MsgBody": [TEXT]}, 20001),
        ({"group_id": "live", "MsgBody": [TEXT]}, 10007),
        ({"MsgBody": [text_element("")]}, 10004),
        ({"MsgBody": [text_element("x" * 13_000)]}, 80002),
    ],
)
def test_corrections_that_are_refused(server, fields, code):
    send_message(server)

    assert correct(server, **fields)["ErrorCode"] == code


def test_receipts(server):
    send_message(server, Random=1, NeedReadReceipt=1)
    send_message(server, Random=2)
    items = [{"MsgSeq": 1}, {"MsgSeq": 2}]

    answer = ask(server, "get_group_msg_receipt", GroupId="g", MsgSeqList=items)
    live = ask(server, "get_group_msg_receipt", GroupId="live", MsgSeqList=items)
    server.change_application(edition="professional")
    lower = ask(server, "get_group_msg_receipt", GroupId="g", MsgSeqList=items)

    assert answer["GroupMsgReceiptList"] == [
        {"Code": 0, "MsgSeq": 1, "ReadNum": 0, "UnreadNum": 120},
        {"Code": 10062, "MsgSeq": 2},
    ]
    assert (live["ErrorCode"], lower["ErrorCode"]) == (10007, 10059)


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
