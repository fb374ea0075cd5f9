"""What the client sends, what it refuses to send, and what it never shows."""

import json
import logging
from http.client import HTTPConnection
from urllib.parse import parse_qsl, urlsplit

import pytest

from notifications.tencent.calls.send_group_system_notification import (
    RecipientsNotAllowed,
    SendGroupSystemNotification,
)
from notifications.tencent.client import Endpoint, ImClient
from notifications.tencent.user_sig import UserSigCache, read_user_sig
from tests.tencent.test_after_sending import FAULTS
from tests.tencent.wire import KEY, OK, FaultServer, body, client_for, send

pytestmark = pytest.mark.one_database


def test_the_request_is_exactly_the_documented_one():
    numbers = iter([0, 2**32 - 1])
    with FaultServer(body(OK)) as server:
        endpoint = Endpoint(server.url, 1400000000, "administrator")
        client = ImClient(
            endpoint,
            UserSigCache(1400000000, KEY, "administrator"),
            random_bits=lambda bits: next(numbers) if bits == 32 else -1,
        )
        client.call(
            SendGroupSystemNotification("@TGS#1", "Public", "你好\n", ["a", "b"])
        )
        assert server.closed.acquire(timeout=5)
        client.call(SendGroupSystemNotification("@TGS#1", "BChatRoom", "x", None))
        client.close()

    bodies = []
    for request, number in zip(server.requests, ("0", "4294967295"), strict=True):
        head, _, content = request.partition(b"\r\n\r\n")
        method, target, _version = head.split(b"\r\n")[0].decode().split()
        query = parse_qsl(urlsplit(target).query)
        names = [name for name, _value in query]
        path = "/v4/group_open_http_svc/send_group_system_notification"
        assert (method, urlsplit(target).path) == ("POST", path)
        assert names == ["sdkappid", "identifier", "usersig", "random", "contenttype"]
        assert dict(query)["random"] == number
        bodies.append(json.loads(content))
    assert bodies == [
        {"GroupId": "@TGS#1", "Content": "你好\n", "ToMembers_Account": ["a", "b"]},
        {"GroupId": "@TGS#1", "Content": "x"},
    ]


@pytest.mark.parametrize("group_type", ["AVChatRoom", "BChatRoom"])
def test_all_member_types_refuse_recipients_before_any_byte(group_type):
    with FaultServer(body(OK)) as server, client_for(server.url) as client:
        with pytest.raises(RecipientsNotAllowed, match="takes notices for all"):
            client.call(SendGroupSystemNotification("g", group_type, "x", ["anna"]))

    assert server.received == 0


@pytest.mark.parametrize("recipients", [[], ["u"] * 501])
def test_an_empty_or_too_long_list_is_refused(recipients):
    with client_for("http://127.0.0.1:9") as client:
        with pytest.raises(ValueError, match="a call takes 1 to 500"):
            client.call(SendGroupSystemNotification("g", "Public", "x", recipients))


def test_key_and_signature_are_shown_nowhere(caplog, capsys, monkeypatch):
    caplog.set_level(logging.DEBUG)
    for name in ("requests", "urllib3", "http.client"):
        caplog.set_level(logging.DEBUG, name)
    monkeypatch.setattr(HTTPConnection, "debuglevel", 1)
    cache = UserSigCache(1400000000, KEY, "administrator")
    texts = []
    for reply, ending, _expected in FAULTS.values():
        with FaultServer(reply, ending=ending) as server:
            endpoint = Endpoint(server.url, 1400000000, "administrator", 0.5, 0.2, 0.3)
            client = ImClient(endpoint, cache)
            texts += [repr(send(client)), repr(client), repr(endpoint), repr(cache)]
            client.close()
    texts += [record.getMessage() for record in caplog.records]
    texts += capsys.readouterr()

    user_sig = cache.get().text
    for secret in (KEY, user_sig, user_sig[:40], read_user_sig(user_sig)["TLS.sig"]):
        assert not any(secret in text for text in texts)
