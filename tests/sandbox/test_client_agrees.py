"""The client's calls for messages: the sandbox refuses what they refuse, and no more."""

import pytest

from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.tencent.calls.get_group_msg_receipt import (
    GetGroupMsgReceipt,
    ReadCount,
)
from notifications.tencent.calls.group_msg_get_simple import GroupMsgGetSimple, Place
from notifications.tencent.calls.group_msg_recall import GroupMsgRecall
from notifications.tencent.calls.modify_group_msg import ModifyGroupMsg
from notifications.tencent.calls.send_group_msg import Receipt, SendGroupMsg
from notifications.tencent.message_options import MAX_MESSAGE_BYTES, MessageOptions
from notifications.tencent.outcomes import OutcomeKind
from tests.sandbox.raw import ask, send_message
from tests.tencent.wire import client_for

pytestmark = pytest.mark.one_database

TYPES = ("Private", "Public", "ChatRoom", "Community", "AVChatRoom", "BChatRoom")

OPTIONS = [
    MessageOptions(),
    MessageOptions(from_account="anna", priority="High"),
    MessageOptions(mention_all=True, push_title="T", push_text="D"),
    MessageOptions(online_only=True, push=False),
    MessageOptions(no_unread=True),
    MessageOptions(no_last_message=True),
    MessageOptions(online_only=True, no_last_message=True),
    MessageOptions(
        image_url="https://a.example/1.png", image_width=30, image_height=20
    ),
    MessageOptions(custom_data='{"a": [1]}'),
]


@pytest.fixture(scope="module")
def server():
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=10**6)) as running:
        for group_type in TYPES:
            running.add_group(group_type, group_type, members=["anna", "ben"])
        # Otherwise a recall would take the message back that a correction changes.
        running.add_group("recalled", "Public")
        yield running


def message(group_type, options, recipients=None, random=1, text="Hi 你好"):
    return SendGroupMsg(group_type, group_type, text, options, random, recipients)


def assert_both_agree(server, call):
    try:
        call.check()
        is_refused = False
    except ValueError:
        is_refused = True

    answer = ask(server, call.COMMAND, **call.payload())

    assert (answer["ErrorCode"] != 0) == is_refused, answer


@pytest.mark.parametrize("group_type", TYPES)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: str(options.as_json()))
@pytest.mark.parametrize("recipients", [None, ["anna", "ben"]])
def test_both_refuse_the_same(server, group_type, options, recipients):
    assert_both_agree(server, message(group_type, options, recipients))


@pytest.mark.parametrize("group_type", TYPES)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: str(options.as_json()))
@pytest.mark.parametrize("text", ["23:30", "", "x" * (MAX_MESSAGE_BYTES + 1)])
@pytest.mark.parametrize("msg_seq", [0, 1])
def test_both_refuse_the_same_corrections(server, group_type, options, text, msg_seq):
    send_message(server, group_type)
    call = ModifyGroupMsg(group_type, group_type, msg_seq, text, options)

    assert_both_agree(server, call)


@pytest.mark.parametrize("reason", ["", "错" * 33, "错" * 34])
@pytest.mark.parametrize("count", [0, 1, 10, 11])
def test_both_refuse_the_same_recalls(server, reason, count):
    call = GroupMsgRecall("recalled", range(1, count + 1), reason)

    assert_both_agree(server, call)


def test_calls_about_a_message():
    with SandboxServer(SandboxConfig(groups=[])) as server:
        server.add_group("Public", "Public", members=["anna"])
        with client_for(server.url) as client:
            options = MessageOptions(from_account="anna", mention_all=True)
            sent = client.call(message("Public", options, random=2**32 - 1))
            (row,) = client.call(GroupMsgGetSimple("Public")).data.messages
            read = client.call(GetGroupMsgReceipt("Public", [1])).data
            codes = client.call(GroupMsgRecall("Public", [1, 2], "wrong date")).data
            recalled = client.call(GroupMsgGetSimple("Public", newest_seq=1)).data
            nothing = client.call(GroupMsgGetSimple("Public", with_recalled=False))

    assert sent.outcome.kind is OutcomeKind.ACCEPTED
    assert sent.data == Receipt(1, row.msg_time)
    assert (row.msg_seq, row.random, row.from_account) == (1, 2**32 - 1, "anna")
    assert row.body[0]["MsgContent"] == {"Text": "Hi 你好"}
    assert read == (ReadCount(1, 10062),)
    assert codes == {1: 0, 2: 10030}
    assert [one.place for one in recalled.messages] == [Place.RECALLED]
    assert (nothing.data.messages, nothing.data.is_finished) == ((), True)


def test_a_dropped_message_and_a_lost_place():
    with SandboxServer(SandboxConfig(groups=[])) as server:
        server.add_group("Public", "Public")
        with client_for(server.url) as client:
            receipts = [
                client.call(message("Public", MessageOptions(), random=number)).data
                for number in range(60)
            ]
            server.store.lose("Public", 1)
            page = client.call(GroupMsgGetSimple("Public", newest_seq=1)).data

    assert {r.drop_reason for r in receipts} <= {"", "MsgFreqCtrl"}
    assert [r.msg_seq == 0 for r in receipts] == [r.drop_reason != "" for r in receipts]
    assert [(row.place, row.random) for row in page.messages] == [(Place.GONE, 0)]
