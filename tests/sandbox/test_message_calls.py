"""Recalls, corrections and receipts of messages that were sent."""

import pytest

from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.page import render
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


@pytest.mark.parametrize("code", ["10032", "10030", "0"])
def test_the_answer_to_a_second_recall_is_chosen(server, code):
    server.change_application(second_recall=code)
    send_message(server)

    codes = [ret_codes(recall(server, 1)) for _n in range(3)]

    assert codes == [[0], [int(code)], [int(code)]]
    (counts,) = server.amendment_counts("group_msg_recall").values()
    assert (counts.called, counts.done) == (3, 1)


def test_the_fault_of_a_group_is_per_call(server):
    """The fault of one call goes before that of every call."""
    server.set_fault("g", "code:10010")
    server.set_fault("g", "code_times:60007:1", command="modify_group_msg")
    server.set_fault("g", "ret_code:10031", command="group_msg_recall")
    body = [text_element("23:30")]

    assert send_message(server)["ErrorCode"] == 10010
    server.set_fault("g", "")
    assert send_message(server)["ErrorCode"] == 0
    assert [correct(server, MsgBody=body)["ErrorCode"] for _n in range(2)] == [60007, 0]
    assert ret_codes(recall(server, 1, 9)) == [10031, 10031]
    server.set_fault("g", "", command="group_msg_recall")
    assert ret_codes(recall(server, 1, 9)) == [0, 10030]
    with pytest.raises(ValueError, match="is none of: send_group_system_notification"):
        server.set_fault("g", "drip", command="get_group_info")


def test_what_others_do_with_a_message(server):
    for number in (1, 2):
        send_message(server, Random=number)

    assert server.recall_by_others("g", 1)
    assert server.delete_by_others("g", 2)
    assert not server.recall_by_others("g", 1)
    assert not server.delete_by_others("g", 9)
    rows = history(server, WithRecalledMsg=1)["RspMsgList"]
    assert [(row["MsgSeq"], row["IsPlaceMsg"]) for row in rows] == [(2, 1), (1, 2)]
    assert ret_codes(recall(server, 1, 2)) == [10032, 10030]
    assert correct(server, 1, MsgBody=[TEXT])["ErrorCode"] == 20001
    counts = server.amendment_counts("group_msg_recall")
    assert {count.done for count in counts.values()} == {0}


def test_a_new_process_has_the_messages_in_their_state(tmp_path):
    config = SandboxConfig(
        groups=[SandboxGroup("g", "Public")], journal_path=tmp_path / "journal.jsonl"
    )
    with SandboxServer(config) as former:
        for number in range(1, 6):
            send_message(former, Random=number)
        recall(former, 1, Reason="wrong date")
        correct(former, 2, MsgBody=[text_element("23:30")])
        former.recall_by_others("g", 3)
        former.delete_by_others("g", 4)
        former.fail_next("group_msg_recall", "reset_before")
        with pytest.raises(ConnectionError):
            recall(former, 5)
        page = render(former, "")
        rows = history(former, WithRecalledMsg=1)
        counts = former.amendment_counts("group_msg_recall")

    with SandboxServer(config) as server:
        assert history(server, WithRecalledMsg=1) == rows
        assert server.amendment_counts("group_msg_recall") == counts
        assert render(server, "") == page
        assert ret_codes(recall(server, 1, 5)) == [10032, 0]
        assert [message.state for message in server.messages("g")] == [2, 0, 2, 1, 2]

    assert '<span class="state">taken back</span> wrong date' in page
    assert [row["IsPlaceMsg"] for row in rows["RspMsgList"]] == [0, 1, 2, 0, 2]


def test_each_call_has_a_limit_of_its_own():
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=2)) as server:
        server.add_group("g", "Public")
        send_message(server)
        body = [text_element("23:30")]
        corrections = [correct(server, MsgBody=body)["ErrorCode"] for _n in range(3)]
        recalls = [recall(server, 1)["ErrorCode"] for _n in range(3)]

    assert corrections == recalls == [0, 0, 60007]


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
