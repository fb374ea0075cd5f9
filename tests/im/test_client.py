"""The client against the stand-in and against raw network faults."""

import json
import logging
import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest

from notifications.im.client import PATH, Endpoint, ImClient
from notifications.im.outcomes import Outcome, OutcomeKind, Reason
from notifications.im.rules import RecipientsNotAllowed
from notifications.im.user_sig import UserSigCache
from notifications.sandbox.server import SandboxConfig, SandboxServer

KEY = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
OK = b'{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}'
HEAD = b"HTTP/1.1 200 OK\r\n"
ACCEPTED = (OutcomeKind.ACCEPTED, None)


def unconfirmed(reason: Reason):
    return (OutcomeKind.UNCONFIRMED, reason)


def not_sent(reason: Reason):
    return (OutcomeKind.NOT_SENT, reason)


@contextmanager
def client_for(url: str, **kwargs) -> Iterator[ImClient]:
    values = {"connect_timeout": 0.5, "read_timeout": 0.25, "total_deadline": 0.5}
    endpoint = Endpoint(url, 1400000000, "administrator", **values | kwargs)
    client = ImClient(endpoint, UserSigCache(1400000000, KEY, "administrator"))
    try:
        yield client
    finally:
        client.close()


def send(client: ImClient, group_id: str = "g") -> Outcome:
    return client.send_group_system_notification(group_id, "Public", "Hi 你好", None)


class FaultServer:
    """Reads a whole request where ``reads`` says so, then writes what it was given.

    ``received`` counts the connections on which a byte of a request came in.
    """

    def __init__(self, reply: bytes, *, reads: bool = True, ending: str = "close"):
        self.reply, self.reads, self.ending = reply, reads, ending
        self.received = 0
        self.requests: list[bytes] = []
        self.leaving = threading.Event()
        self.closed = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.leaving.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _accept(self):
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._serve(connection)
                except OSError:
                    continue
            self.closed.release()

    def _serve(self, connection):
        if self.reads:
            data = connection.recv(65536)
            self.received += bool(data)
            while not _is_whole(data) and (more := connection.recv(65536)):
                data += more
            self.requests.append(data)
        match self.ending:
            case "drip":
                for byte in self.reply:
                    if self.leaving.wait(0.02):
                        return
                    connection.sendall(bytes([byte]))
            case "endless":
                while not self.leaving.is_set():
                    connection.sendall(self.reply)
            case _:
                connection.sendall(self.reply)
        if self.ending == "silence":
            self.leaving.wait(5)
        if self.ending == "half-close":
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        if self.ending == "reset":
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _is_whole(request: bytes) -> bool:
    head, end, content = request.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end) and len(content) >= int(length[1] if length else 0)


def body(content: bytes, *headers: bytes) -> bytes:
    length = b"Content-Length: %d\r\n" % len(content)
    return HEAD + length + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + content


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LOST, BAD = unconfirmed(Reason.CONNECTION_LOST), unconfirmed(Reason.BAD_ANSWER)
SILENT = unconfirmed(Reason.NO_ANSWER)
STATUS = unconfirmed(Reason.HTTP_STATUS)
LARGE = unconfirmed(Reason.TOO_LARGE)
FAULTS = {
    "no fault": (body(OK), "close", ACCEPTED),
    "reset after the request": (b"", "reset", LOST),
    "close after the request": (b"", "close", LOST),
    "half-close": (b"", "half-close", LOST),
    "close in the head": (HEAD + b"Content-", "close", BAD),
    "body cut short": (HEAD + b"Content-Length: 999\r\n\r\n" + OK, "close", LOST),
    "chunk cut short": (CHUNKED + b"40\r\n" + OK, "close", LOST),
    "chunk without a size": (CHUNKED + b"xyz\r\n" + OK, "close", LOST),
    "no HTTP": (b"\x00\xff garbage\r\n\r\n", "close", LOST),
    "a web page": (body(b"<html>Welcome</html>"), "close", BAD),
    "empty body": (body(b""), "close", BAD),
    "code as text": (body(b'{"ErrorCode":"0"}'), "close", BAD),
    "code as bool": (body(b'{"ErrorCode":false}'), "close", BAD),
    "packed body": (body(b"\x1f\x8b\x08", b"Content-Encoding: gzip"), "close", BAD),
    "301": (b"HTTP/1.1 301 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "", STATUS),
    "307": (b"HTTP/1.1 307 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "", STATUS),
    "404": (b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", "close", STATUS),
    "500": (b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", "close", STATUS),
    "502": (body(OK).replace(b"200 OK", b"502 Bad"), "close", STATUS),
    "silence": (b"", "silence", SILENT),
    "silence in the body": (HEAD + b"Content-Length: 9\r\n\r\n{", "silence", SILENT),
    "dripping head": (HEAD + b"X: " + b"x" * 500, "drip", SILENT),
    "dripping body": (body(b" " * 500), "drip", SILENT),
    "endless body": (HEAD + b"\r\n" + b" " * 8192, "endless", LARGE),
    "large body": (body(b" " * 70_000), "close", LARGE),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_after_the_request(name):
    reply, ending, expected = FAULTS[name]
    with FaultServer(reply, ending=ending) as server, client_for(server.url) as client:
        outcome = send(client)

    assert (outcome.kind, outcome.reason) == expected
    assert server.received == 1


def test_refused_and_reset_before_the_request():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client_for(f"http://127.0.0.1:{port}") as client:
        outcomes = [client.connect(), send(client)]

    assert [(o.kind, o.reason) for o in outcomes] == [not_sent(Reason.REFUSED)] * 2


def test_a_name_without_an_address(monkeypatch):
    def nobody(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with client_for("https://im.invalid") as client:
        outcome = send(client)

    assert (outcome.kind, outcome.reason) == not_sent(Reason.DNS)


def test_a_connection_that_does_not_come_about():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _n in range(3)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(address)
        with client_for(
            f"http://127.0.0.1:{address[1]}", connect_timeout=0.2
        ) as client:
            outcome = client.connect()
        for filler in fillers:
            filler.close()

    assert (outcome.kind, outcome.reason) == not_sent(Reason.CONNECT_TIMEOUT)


@pytest.mark.parametrize("reply", [b"\x00garbage that is no TLS\r\n", b""])
def test_no_tls_on_the_other_side(reply):
    with FaultServer(reply, reads=False) as server:
        tls_url = server.url.replace("http:", "https:")
        with client_for(tls_url) as client:
            outcome = send(client)

    # What the server received is a TLS hello, not a byte of the request.
    assert outcome.kind is OutcomeKind.NOT_SENT
    assert outcome.reason in (Reason.TLS, Reason.CONNECT_FAILED)


def test_a_kept_connection_that_the_server_closed_is_not_used():
    with FaultServer(body(OK)) as server, client_for(server.url) as client:
        outcomes = []
        for _n in range(5):
            assert client.connect() is None
            outcomes.append(send(client).kind)
            assert server.closed.acquire(timeout=5)

    assert outcomes == [OutcomeKind.ACCEPTED] * 5
    assert server.received == 5


def test_the_request_is_exactly_the_documented_one():
    numbers = iter([0, 2**32 - 1])
    with FaultServer(body(OK)) as server:
        endpoint = Endpoint(server.url, 1400000000, "administrator")
        client = ImClient(
            endpoint,
            UserSigCache(1400000000, KEY, "administrator"),
            random_bits=lambda bits: next(numbers) if bits == 32 else -1,
        )
        client.send_group_system_notification("@TGS#1", "Public", "你好\n", ["a", "b"])
        assert server.closed.acquire(timeout=5)
        client.send_group_system_notification("@TGS#1", "BChatRoom", "x", None)
        client.close()

    bodies = []
    for request, number in zip(server.requests, ("0", "4294967295"), strict=True):
        head, _, content = request.partition(b"\r\n\r\n")
        method, target, _version = head.split(b"\r\n")[0].decode().split()
        query = parse_qsl(urlsplit(target).query)
        names = [name for name, _value in query]
        assert (method, urlsplit(target).path) == ("POST", PATH)
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
            client.send_group_system_notification("g", group_type, "x", ["anna"])

    assert server.received == 0


@pytest.mark.parametrize("recipients", [[], ["u"] * 501])
def test_an_empty_or_too_long_list_is_refused(recipients):
    with client_for("http://127.0.0.1:9") as client:
        with pytest.raises(ValueError, match="a call takes 1 to 500"):
            client.send_group_system_notification("g", "Public", "x", recipients)


SANDBOX_FAULTS = {
    "": ACCEPTED,
    "code:10010": (OutcomeKind.REJECTED, None),
    "shown_then_code:10002": (OutcomeKind.REJECTED, None),
    "reset_before": LOST,
    "reset_after": LOST,
    "close_after": LOST,
    "truncated": LOST,
    "garbage": LOST,
    "html": BAD,
    "bool_code": BAD,
    "status_502": STATUS,
    "redirect": STATUS,
}


def test_five_thousand_random_calls_never_deny_what_was_received():
    """Faults at random over kept connections: the sandbox's journal is the truth."""
    seed = random.randrange(2**32)
    order = random.Random(seed)
    with SandboxServer(SandboxConfig(groups=[], calls_per_second=10**6)) as server:
        for name in SANDBOX_FAULTS:
            server.add_group(f"g-{name}", "Public", fault=name)
        with client_for(server.url, read_timeout=5, total_deadline=5) as client:
            for number in range(5000):
                # Half of the calls go well, so that connections are kept.
                name = order.choice(["", order.choice(list(SANDBOX_FAULTS))])
                outcome = send(client, f"g-{name}")
                assert (outcome.kind, outcome.reason) == SANDBOX_FAULTS[name], (
                    f"call {number}, fault {name!r}, seed {seed}"
                )
        assert len(server.journal) == 5000


def test_key_and_signature_are_shown_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    cache = UserSigCache(1400000000, KEY, "administrator")
    texts = []
    for reply, ending, _expected in FAULTS.values():
        with FaultServer(reply, ending=ending) as server:
            endpoint = Endpoint(server.url, 1400000000, "administrator", 0.5, 0.2, 0.3)
            client = ImClient(endpoint, cache)
            texts += [repr(send(client)), repr(client), repr(endpoint), repr(cache)]
            client.close()
    texts += [record.getMessage() for record in caplog.records]

    for secret in (KEY, cache.get(), cache.get()[:40]):
        assert not any(secret in text for text in texts)
