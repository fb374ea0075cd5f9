"""The calls about messages that were sent: history, taking back, read counts."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.tencent.calls.base import OtherShape
from notifications.tencent.calls.get_group_msg_receipt import (
    GetGroupMsgReceipt,
    ReadCount,
)
from notifications.tencent.calls.group_msg_get_simple import GroupMsgGetSimple, Place
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from tests.tencent.test_reading import answered

pytestmark = pytest.mark.one_database

ELEMENT = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "你好"}}
ROW = {
    "From_Account": "news",
    "IsPlaceMsg": 0,
    "MsgBody": [ELEMENT],
    "MsgPriority": 2,
    "MsgRandom": 3141592653,
    "MsgSeq": 418,
    "MsgTimeStamp": 1796043300,
}
PAGE = {"GroupId": "@TGS#1", "IsFinished": 1, "RspMsgList": [ROW]}


def test_the_history():
    response, request, line = answered(
        lambda client: client.call(GroupMsgGetSimple("@TGS#1", newest_seq=420)), **PAGE
    )

    assert line == b"POST /v4/group_open_http_svc/group_msg_get_simple"
    assert request == {
        "GroupId": "@TGS#1",
        "ReqMsgNumber": 20,
        "ReqMsgSeq": 420,
        "WithRecalledMsg": 1,
    }
    (row,) = response.data.messages
    assert response.data.is_finished
    assert (row.msg_seq, row.msg_time, row.random) == (418, 1796043300, 3141592653)
    assert (row.from_account, row.place, row.body) == ("news", Place.MESSAGE, [ELEMENT])
    assert row.raw == ROW


def test_the_newest_messages():
    call = GroupMsgGetSimple("@TGS#1", number=5, with_recalled=False)

    assert call.payload() == {"GroupId": "@TGS#1", "ReqMsgNumber": 5}


@pytest.mark.parametrize("finished", [0, 2])
def test_a_part_of_the_history(finished):
    page = GroupMsgGetSimple("@TGS#1").parse(PAGE | {"IsFinished": finished})

    assert not page.is_finished


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({"IsPlaceMsg": 2}, (Place.RECALLED, 3141592653, 1796043300, "news")),
        (
            {"IsPlaceMsg": 1, "MsgBody": []},
            (Place.GONE, 3141592653, 1796043300, "news"),
        ),
        (
            {"IsPlaceMsg": 1, "MsgBody": None, "MsgRandom": None, "MsgTimeStamp": None}
            | {"From_Account": None},
            (Place.GONE, None, None, ""),
        ),
        (
            {"IsSystemMsg": 1, "MsgRandom": None, "From_Account": ""},
            (Place.MESSAGE, None, 1796043300, ""),
        ),
        ({"From_Account": "a\ud800"}, (Place.MESSAGE, 3141592653, 1796043300, "a?")),
    ],
)
def test_rows_of_the_history(changes, values):
    page = GroupMsgGetSimple("@TGS#1").parse(PAGE | {"RspMsgList": [ROW | changes]})

    (row,) = page.messages
    assert (row.place, row.random, row.msg_time, row.from_account) == values


@pytest.mark.parametrize(
    "changes",
    [
        {"IsPlaceMsg": 3},
        {"IsPlaceMsg": True},
        {"IsPlaceMsg": None},
        {"MsgSeq": None},
        {"MsgSeq": "418"},
        {"MsgSeq": 421},  # newer than requested
        {"MsgRandom": None},
        {"MsgRandom": -1},
        {"MsgRandom": 2**32},
        {"MsgTimeStamp": None},
        {"From_Account": ""},
        {"From_Account": 5},
        {"MsgBody": "text"},
        {"MsgBody": {}},
        {"From_Account": 0, "IsPlaceMsg": 1},
        {"MsgSeq": True, "IsPlaceMsg": 1},
    ],
)
def test_a_row_of_another_shape(changes):
    call = GroupMsgGetSimple("@TGS#1", newest_seq=420)

    with pytest.raises(OtherShape):
        call.parse(PAGE | {"RspMsgList": [ROW | changes]})


@pytest.mark.parametrize(
    "changes",
    [
        {"GroupId": "@TGS#2"},
        {"IsFinished": None},
        {"IsFinished": 3},
        {"IsFinished": True},
        {"RspMsgList": None},
        {"RspMsgList": {}},
        {"RspMsgList": ["a"]},
    ],
)
def test_a_history_of_another_shape(changes):
    with pytest.raises(OtherShape):
        GroupMsgGetSimple("@TGS#1").parse(PAGE | changes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=4,
)


@given(row=st.dictionaries(st.sampled_from([*ROW, "IsSystemMsg"]), JSON))
def test_any_row_is_parsed_or_of_another_shape(row):
    with contextlib.suppress(OtherShape):
        GroupMsgGetSimple("@TGS#1").parse(PAGE | {"RspMsgList": [ROW | row]})


def test_taking_messages_back():
    call = GroupMsgRecall("@TGS#1", [418, 419], reason="错误")
    response, request, line = answered(
        lambda client: client.call(call),
        RecallRetList=[
            {"MsgSeq": 418, "RetCode": 0},
            {"MsgSeq": 419, "RetCode": 10030},
        ],
    )

    assert line == b"POST /v4/group_open_http_svc/group_msg_recall"
    assert request == {
        "GroupId": "@TGS#1",
        "MsgSeqList": [{"MsgSeq": 418}, {"MsgSeq": 419}],
        "Reason": "错误",
    }
    assert response.data == {418: 0, 419: 10030}
    assert "Reason" not in GroupMsgRecall("@TGS#1", [1]).payload()


@pytest.mark.parametrize(
    "rows",
    [
        None,
        [],
        [{"MsgSeq": 418}],
        [{"RetCode": 0}],
        [{"MsgSeq": 418, "RetCode": False}],
        [{"MsgSeq": 418, "RetCode": "0"}],
        [{"MsgSeq": "418", "RetCode": 0}],
        [{"MsgSeq": 419, "RetCode": 0}],
    ],
)
def test_a_recall_of_another_shape(rows):
    with pytest.raises(OtherShape):
        GroupMsgRecall("@TGS#1", [418]).parse({"RecallRetList": rows})


def test_read_counts():
    call = GetGroupMsgReceipt("@TGS#1", [418, 419])
    response, request, line = answered(
        lambda client: client.call(call),
        GroupMsgReceiptList=[
            {"Code": 0, "MsgSeq": 418, "ReadNum": 129, "UnreadNum": 83},
            {"Code": 10062, "MsgSeq": 419},
        ],
    )

    assert line == b"POST /v4/group_open_http_svc/get_group_msg_receipt"
    assert request == {
        "GroupId": "@TGS#1",
        "MsgSeqList": [{"MsgSeq": 418}, {"MsgSeq": 419}],
    }
    assert response.data == (ReadCount(418, 0, 129, 83), ReadCount(419, 10062))


@pytest.mark.parametrize(
    "row",
    [
        {"Code": 0, "MsgSeq": 418},
        {"Code": 0, "MsgSeq": 418, "ReadNum": 1, "UnreadNum": -1},
        {"MsgSeq": 418, "ReadNum": 1, "UnreadNum": 1},
        {"Code": "10062", "MsgSeq": 418},
        {"Code": 10062},
    ],
)
def test_read_counts_of_another_shape(row):
    with pytest.raises(OtherShape):
        GetGroupMsgReceipt("@TGS#1", [418]).parse({"GroupMsgReceiptList": [row]})


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (GroupMsgGetSimple("g", number=0), "1 to 20 messages, not 0"),
        (GroupMsgGetSimple("g", number=21), "1 to 20 messages, not 21"),
        (GroupMsgGetSimple("g", newest_seq=0), "begin at 1"),
        (GroupMsgRecall("g", []), "0 values; a call takes 1 to 10"),
        (GroupMsgRecall("g", range(1, 12)), "11 values"),
        (GroupMsgRecall("g", [1], reason="错" * 34), "100 bytes"),
        (GetGroupMsgReceipt("g", []), "0 values"),
        (GetGroupMsgReceipt("g", range(1, 12)), "11 values"),
    ],
)
def test_calls_that_break_a_limit(call, problem):
    with pytest.raises(ValueError, match=problem):
        call.check()
