"""Recalls, corrections and receipts of messages that were sent."""

import pytest

from notifications.sandbox.server import SandboxConfig, SandboxServer
from tests.sandbox.raw import TEXT, ask, history, send_message, text_element

pytestmark = pytest.mark.one_database


@pytest.fixture
def server():
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=10**6)) as running:
        running.add_group("g", "Public", member_count=120)
        running.add_group("live", "AVChatRoom")
        yield running


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
