"""Each documented check of the sandbox, with its code."""

import json
from urllib.parse import urlencode

import pytest

from notifications.sandbox import protocol
from notifications.sandbox.protocol import Account, Notice, RequestRefused
from notifications.tencent.user_sig import make_user_sig

pytestmark = pytest.mark.one_database

ACCOUNT = Account()
NOW = 1_800_000_000


def signed(app_id=ACCOUNT.sdk_app_id, key=ACCOUNT.key, user="administrator", **kwargs):
    values = {"now": NOW, "valid_for": 60} | kwargs
    return make_user_sig(app_id, key, user, **values)


def address(path=protocol.PATH, **changes) -> str:
    query = {
        "sdkappid": ACCOUNT.sdk_app_id,
        "identifier": "administrator",
        "usersig": signed(),
        "random": 4294967295,
        "contenttype": "json",
    } | changes
    return path + "?" + urlencode({k: v for k, v in query.items() if v is not None})


def code_of(check, *arguments) -> int:
    try:
        check(*arguments)
    except RequestRefused as refused:
        return refused.code
    return 0


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (address(), 0),
        (address(path="/v4/other"), 60009),
        (address(sdkappid=None), 60012),
        (address(sdkappid=1), 70020),
        (address(random=None), 60002),
        (address(random=4294967296), 60002),
        (address(random="²"), 60002),
        (address(contenttype="xml"), 60002),
        (address(extra=1), 60002),
        (address() + "&random=1", 60002),
        (address(identifier="Administrator"), 60010),
        (address(usersig=""), 70002),
        (address(usersig="eJw!"), 70003),
        (address(usersig="eJyLjgUAARUAuQ__"), 70003),
        (address(usersig=signed(app_id=2)), 70014),
        (address(usersig=signed(user="other")), 70013),
        (address(usersig=signed(key="other")), 70009),
        (address(usersig=signed(now=NOW - 61)), 70001),
    ],
)
def test_address(target, code):
    assert code_of(protocol.check_address, target, ACCOUNT, NOW) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"GroupId": "g", "Content": "x"}, 0),
        ({"GroupId": "g", "Content": "x", "ToMembers_Account": ["a"]}, 0),
        ([], 60003),
        ({"Content": "x"}, 10004),
        ({"GroupId": 1, "Content": "x"}, 10004),
        ({"GroupId": "g", "Content": ""}, 10004),
        ({"GroupId": "two words", "Content": "x"}, 10015),
        ({"GroupId": "g", "Content": "中" * 4097}, 80002),
        ({"GroupId": "g", "Content": "x", "ToMembers_Account": "a"}, 60015),
        ({"GroupId": "g", "Content": "x", "ToMembers_Account": [1]}, 60015),
        ({"GroupId": "g", "Content": "x", "ToMembers_Account": ["a"] * 501}, 10005),
    ],
)
def test_body(body, code):
    assert code_of(protocol.read_body, json.dumps(body).encode()) == code


def test_a_body_that_is_no_json():
    assert code_of(protocol.read_body, b"{") == 60003


@pytest.mark.parametrize(
    ("group_type", "recipients", "code"),
    [
        (None, (), 10010),
        ("AVChatRoom", (), 0),
        ("AVChatRoom", ("a",), 10004),
        ("BChatRoom", ("a",), 10004),
        ("Public", ("a",), 0),
    ],
)
def test_group(group_type, recipients, code):
    notice = Notice("g", "x", recipients)

    assert code_of(protocol.check_group, notice, group_type) == code
