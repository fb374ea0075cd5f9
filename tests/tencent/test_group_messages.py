"""The calls that send and correct a message: what they send, refuse and parse."""

import json

import pytest

from notifications.tencent.calls.base import RecipientsNotAllowed
from notifications.tencent.calls.modify_group_msg import ModifyGroupMsg
from notifications.tencent.calls.send_group_msg import Receipt, SendGroupMsg
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.client import Endpoint, ImClient
from notifications.tencent.message_options import MAX_MESSAGE_BYTES, MessageOptions
from notifications.tencent.outcomes import OutcomeKind, Reason
from notifications.tencent.user_sig import UserSigCache
from tests.tencent.test_reading import answered
from tests.tencent.wire import KEY, FaultServer, body, client_for

pytestmark = pytest.mark.one_database


def message(group_type="Public", content="你好", recipients=None, random=7, **options):
    return SendGroupMsg(
        "@TGS#1", group_type, content, MessageOptions(**options), random, recipients
    )


TEXT = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "你好"}}
PLAIN = {"GroupId": "@TGS#1", "Random": 7, "MsgPriority": "Normal", "MsgBody": [TEXT]}
CUSTOM = {"MsgType": "TIMCustomElem", "MsgContent": {"Data": '{"a": 1}'}}


def image(url, uuid):
    size = {"Size": 0, "Width": 640, "Height": 480, "URL": url}
    return {
        "MsgType": "TIMImageElem",
        "MsgContent": {
            "UUID": uuid,
            "ImageFormat": 255,
            "ImageInfoArray": [{"Type": number} | size for number in (1, 2, 3)],
        },
    }


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (message(), {}),
        (message(from_account="news"), {"From_Account": "news"}),
        (message(mention_all=True), {"GroupAtInfo": [{"GroupAtAllFlag": 1}]}),
        (message(priority="High"), {"MsgPriority": "High"}),
        (message(online_only=True), {"OnlineOnlyFlag": 1}),
        (message(no_unread=True), {"SendMsgControl": ["NoUnread"]}),
        (
            message(no_last_message=True, no_unread=True),
            {"SendMsgControl": ["NoUnread", "NoLastMsg"]},
        ),
        (message(push=False), {"OfflinePushInfo": {"PushFlag": 1}}),
        (
            message(push_title="T", push_text="D"),
            {"OfflinePushInfo": {"PushFlag": 0, "Title": "T", "Desc": "D"}},
        ),
        (
            message(push_text="D"),
            {"OfflinePushInfo": {"PushFlag": 0, "Desc": "D"}},
        ),
        (message(recipients=["anna", "li"]), {"To_Account": ["anna", "li"]}),
        (
            message(
                image_url="https://a.example/x.png",
                image_width=640,
                image_height=480,
                custom_data='{"a": 1}',
            ),
            {
                "MsgBody": [
                    TEXT,
                    image(
                        "https://a.example/x.png", "77122632fe0fa51a81f1424ddefa15c6"
                    ),
                    CUSTOM,
                ]
            },
        ),
    ],
)
def test_the_request_of_a_message(call, fields):
    response, request, line = answered(
        lambda client: client.call(call), MsgSeq=418, MsgTime=1796043300
    )

    assert line == b"POST /v4/group_open_http_svc/send_group_msg"
    assert request == PLAIN | fields
    assert response.data == Receipt(418, 1796043300)


def test_each_attempt_has_the_same_bytes():
    options = {"from_account": "news", "mention_all": True, "no_unread": True}
    first = message(push_title="T", custom_data="{}", **options)
    again = message(custom_data="{}", push_title="T", **options)

    assert json.dumps(first.payload()) == json.dumps(again.payload())
    assert list(first.payload()) == [
        "GroupId",
        "Random",
        "MsgPriority",
        "From_Account",
        "SendMsgControl",
        "GroupAtInfo",
        "OfflinePushInfo",
        "MsgBody",
    ]


def test_texts_and_members_are_in_no_log():
    texts = {name: f"secret-{name}" for name in ("push_title", "push_text")}
    call = message(
        content="secret", recipients=["secret"], image_url="https://secret",
        custom_data='"secret"', **texts,
    )  # fmt: skip

    assert "secret" not in repr(call)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (message("BChatRoom"), "BChatRoom, which refuses: message"),
        (message("AVChatRoom", mention_all=True), "refuses: mention_all"),
        (message("AVChatRoom", online_only=True), "refuses: online_only"),
        (message("AVChatRoom", no_last_message=True), "refuses: no_last_message"),
        (message("ChatRoom", no_unread=True), "refuses: no_unread"),
        (message(mention_all=True, recipients=["a"]), r"mention_all \(named_members"),
        (message(online_only=True, no_unread=True), r"no_unread \(online_only"),
        (message(push=False, push_title="T"), r"push_title \(push_off"),
        (message(custom_data="{"), r"custom_data \(invalid"),
        (message(recipients=[]), "0 values; a call takes 1 to 50"),
        (message(recipients=["u"] * 51), "51 values; a call takes 1 to 50"),
        (message(content=""), "0 bytes for @TGS#1; a message takes 1 to 12288"),
        (message(content="x" * (MAX_MESSAGE_BYTES + 1)), "12289 bytes"),
        (message(random=-1), "32 bits"),
        (message(random=2**32), "32 bits"),
    ],
)
def test_messages_that_tencent_would_refuse(call, problem):
    with pytest.raises(ValueError, match=problem):
        call.check()


@pytest.mark.parametrize("group_type", ["AVChatRoom", "BChatRoom", "Community"])
def test_types_that_take_messages_to_all_members_only(group_type):
    with pytest.raises(RecipientsNotAllowed, match=r"refuses: .*recipients"):
        message(group_type, recipients=["anna"]).check()


@pytest.mark.parametrize(
    "call",
    [
        message("AVChatRoom"),
        message("Community", mention_all=True, no_unread=True),
        message(recipients=["u"] * 50, no_unread=True),
        message(content="x" * MAX_MESSAGE_BYTES, random=0),
        message(content="x", random=2**32 - 1),
    ],
)
def test_messages_that_are_allowed(call):
    call.check()


@pytest.mark.parametrize(
    ("fields", "receipt"),
    [
        ({}, Receipt(None, None)),
        ({"MsgSeq": None, "MsgTime": None, "MsgDropReason": None}, Receipt(None, None)),
        ({"MsgSeq": 0, "MsgTime": 2**32 - 1}, Receipt(0, 2**32 - 1)),
        (
            {"MsgSeq": 1, "MsgTime": 5, "MsgDropReason": "MsgFreqCtrl"},
            Receipt(1, 5, "MsgFreqCtrl"),
        ),
        ({"MsgDropReason": "a\x00b\ud800"}, Receipt(None, None, "a\ufffdb?")),
    ],
)
def test_receipts(fields, receipt):
    assert message().parse(fields) == receipt


@pytest.mark.parametrize(
    "fields",
    [
        {"MsgSeq": "418"},
        {"MsgSeq": True},
        {"MsgSeq": -1},
        {"MsgSeq": 2**32},
        {"MsgSeq": 4.18},
        {"MsgTime": "2026"},
        {"MsgDropReason": 0},
        {"MsgDropReason": False},
        {"MsgDropReason": ["MsgFreqCtrl"]},
    ],
)
def test_a_receipt_of_another_shape_is_no_verdict(fields):
    response, _request, _line = answered(
        lambda client: client.call(message()), **fields
    )

    assert (response.data, response.outcome.kind) == (None, OutcomeKind.UNCONFIRMED)
    assert response.outcome.reason is Reason.BAD_ANSWER


def correction(group_type="Public", content="你好", msg_seq=418, **options):
    return ModifyGroupMsg(
        "@TGS#1", group_type, msg_seq, content, MessageOptions(**options)
    )


def test_the_request_of_a_correction():
    response, request, line = answered(lambda client: client.call(correction()))

    assert line == b"POST /v4/openim/modify_group_msg"
    assert request == {"GroupId": "@TGS#1", "MsgSeq": 418, "MsgBody": [TEXT]}
    assert (response.outcome.kind, response.data) == (OutcomeKind.ACCEPTED, None)


def test_a_correction_has_the_exact_bytes_of_the_elements_that_were_sent():
    """``MsgBody`` replaces the whole body: the image and the custom element too."""
    options = {
        "image_url": "https://a.example/x.png",
        "image_width": 640,
        "image_height": 480,
        "custom_data": '{"a": 1}',
        "from_account": "news",
        "push_title": "T",
        "mention_all": True,
        "priority": "High",
    }
    payload = correction(**options).payload()

    assert json.dumps(payload["MsgBody"]) == json.dumps(
        message(**options).payload()["MsgBody"]
    )
    assert list(payload) == ["GroupId", "MsgSeq", "MsgBody"]
    with FaultServer(body(b'{"ActionStatus":"OK","ErrorCode":0}')) as server:
        with client_for(server.url) as client:
            client.call(correction(content="23:30", custom_data="{}"))
    assert server.requests[0].partition(b"\r\n\r\n")[2] == (
        b'{"GroupId": "@TGS#1", "MsgSeq": 418, "MsgBody": ['
        b'{"MsgType": "TIMTextElem", "MsgContent": {"Text": "23:30"}}, '
        b'{"MsgType": "TIMCustomElem", "MsgContent": {"Data": "{}"}}]}'
    )


def test_the_text_of_a_correction_is_in_no_log():
    assert "secret" not in repr(correction(content="secret", custom_data='"secret"'))


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (correction("AVChatRoom"), "AVChatRoom, which takes no corrections"),
        (correction("BChatRoom"), "BChatRoom, which takes no corrections"),
        (correction(content=""), "0 bytes for @TGS#1; a message takes 1 to 12288"),
        (correction(content="x" * (MAX_MESSAGE_BYTES + 1)), "12289 bytes"),
        (
            correction(content="x" * MAX_MESSAGE_BYTES, custom_data="{}"),
            "12290 bytes",
        ),
        (correction(msg_seq=0), "from 1 to 4294967295"),
        (correction(msg_seq=2**32), "from 1 to 4294967295"),
    ],
)
def test_corrections_that_tencent_would_refuse(call, problem):
    with pytest.raises(ValueError, match=problem):
        call.check()


@pytest.mark.parametrize(
    "call",
    [
        correction("Community", msg_seq=1),
        correction(content="x" * MAX_MESSAGE_BYTES, msg_seq=2**32 - 1),
    ],
)
def test_corrections_that_are_allowed(call):
    call.check()


class Signatures(UserSigCache):
    accepted_count = 0

    def accepted(self, number):
        self.accepted_count += 1
        super().accepted(number)


@pytest.mark.parametrize(
    ("call", "accepted"),
    [(message(), 0), (SendGroupSystemNotification("g", "Public", "x", None), 1)],
)
def test_a_refused_account_does_not_count_as_an_accepted_signature(call, accepted):
    """10007 is about the account for a message, about the group for a notice."""
    signatures = Signatures(1400000000, KEY, "administrator")
    answer = b'{"ActionStatus":"FAIL","ErrorInfo":"","ErrorCode":10007}'
    with FaultServer(body(answer)) as server:
        endpoint = Endpoint(server.url, 1400000000, "administrator")
        client = ImClient(endpoint, signatures)
        assert client.call(call).outcome.error_code == 10007
        client.close()

    assert signatures.accepted_count == accepted
