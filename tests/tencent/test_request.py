"""What the client sends, what it refuses to send, and what it never shows."""

import json
import logging
import re
from http.client import HTTPConnection
from pathlib import Path

import pytest

from notifications.tencent.calls.base import RecipientsNotAllowed
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.client import Endpoint, ImClient
from notifications.tencent.user_sig import UserSig, UserSigCache, read_user_sig
from tests.tencent.test_after_sending import FAULTS
from tests.tencent.wire import KEY, OK, FaultServer, body, client_for, send

pytestmark = pytest.mark.one_database


RECORDED = json.loads(
    Path(__file__)
    .with_name("data")
    .joinpath("system_notification_requests.json")
    .read_text("utf-8")
)


class RecordedSignature:
    def get(self):
        return UserSig("eJw+AB*-_", 1)

    def accepted(self, number):
        pass


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda row: row["arguments"][1])
def test_a_request_of_release_0_1_is_the_same_to_the_byte(recorded):
    with FaultServer(body(OK)) as server:
        client = ImClient(
            Endpoint(server.url, 1400000000, "administrator"),
            RecordedSignature(),
            random_bits=lambda bits: 3141592653 if bits == 32 else -1,
        )
        client.call(SendGroupSystemNotification(*recorded["arguments"]))
        client.close()

    head, _, content = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().replace(f"127.0.0.1:{server.port}", "HOST").split("\r\n")
    lines[2] = re.sub(r"/[\d.]+$", "/VERSION", lines[2])  # of the library
    assert lines == recorded["head"]
    assert content == recorded["body"].encode()


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
