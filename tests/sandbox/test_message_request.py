"""The form of a message: each documented rule, with its code."""

import json

import pytest

from notifications.sandbox.message_request import MAX_MENTIONS, read_message
from tests.sandbox.raw import CUSTOM, IMAGE, TEXT, text_element
from tests.sandbox.test_protocol import code_of

pytestmark = pytest.mark.one_database


def image(**changes):
    content = IMAGE["MsgContent"]
    info = {k: v for k, v in (content["ImageInfoArray"][0] | changes).items() if v}
    return IMAGE | {"MsgContent": content | {"ImageInfoArray": [info]}}


MENTION = {"GroupAtAllFlag": 0, "GroupAt_Account": "anna"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Random": 0}, 0),
        ({"Random": 2**32 - 1}, 0),
        ({"Random": 2**32}, 10004),
        ({"Random": "1"}, 10004),
        ({"Random": True}, 10004),
        ({"GroupId": "two words"}, 10015),
        ({"GroupId": 1}, 10004),
        ({"MsgPriority": "High"}, 0),
        ({"MsgPriority": "high"}, 10004),
        ({"OnlineOnlyFlag": True}, 10004),
        ({"OnlineOnlyFlag": 1, "SendMsgControl": ["NoLastMsg"]}, 10004),
        ({"SendMsgControl": ["Silent"]}, 10004),
        ({"To_Account": ["a"] * 50}, 0),
        ({"To_Account": ["a"] * 51}, 10004),
        ({"To_Account": ["a"], "GroupAtInfo": [MENTION]}, 10004),
        ({"GroupAtInfo": [MENTION] * MAX_MENTIONS}, 0),
        ({"GroupAtInfo": [MENTION] * (MAX_MENTIONS + 1)}, 10053),
        ({"GroupAtInfo": [{"GroupAtAllFlag": 0}]}, 10004),
        ({"GroupAtInfo": ["anna"]}, 10004),
        ({"OfflinePushInfo": {"PushFlag": 0, "Title": "T", "Desc": "D"}}, 0),
        ({"OfflinePushInfo": {"PushFlag": 2}}, 10004),
        ({"OfflinePushInfo": {"Titel": "T"}}, 10004),
        ({"From_Account": ""}, 10004),
        ({"Priority": "High"}, 10004),
        ({"NeedReadReceipt": 1, "SupportMessageExtension": 0}, 0),
        ({"ForbidCallbackControl": ["ForbidBeforeSendMsgCallback"]}, 0),
        ({"MsgBody": []}, 10004),
        ({"MsgBody": [{"MsgType": "TIMTextElem"}]}, 10004),
        ({"MsgBody": [{"MsgType": "Text", "MsgContent": {"Text": "x"}}]}, 10004),
        ({"MsgBody": [{"MsgType": [], "MsgContent": {"Text": "x"}}]}, 10004),
        ({"MsgBody": [text_element("")]}, 10004),
        ({"MsgBody": [text_element("中" * 4096)]}, 0),
        ({"MsgBody": [text_element("中" * 4097)]}, 80002),
        ({"MsgBody": [TEXT, CUSTOM]}, 0),
        ({"MsgBody": [TEXT, CUSTOM, CUSTOM]}, 10004),
        ({"MsgBody": [CUSTOM | {"MsgContent": {"Data": {}}}]}, 10004),
        ({"MsgBody": [TEXT, IMAGE]}, 0),
        ({"MsgBody": [image(URL="ftp://a.example/1")]}, 10004),
        ({"MsgBody": [image(Width=None)]}, 10004),
        ({"MsgBody": [image(Type=4)]}, 10004),
        ({"MsgBody": [IMAGE | {"MsgContent": {"UUID": "1"}}]}, 10004),
    ],
)
def test_the_form_of_a_message(fields, code):
    message = {"GroupId": "g", "Random": 1, "MsgBody": [TEXT]} | fields

    assert code_of(read_message, json.dumps(message).encode()) == code
