"""Faults after the request was sent: never "not sent", and each with its reason."""

import pytest

from notifications.tencent.outcomes import OutcomeKind
from tests.tencent.wire import (
    ACCEPTED,
    BAD,
    CA_FILE,
    HEAD,
    IMPATIENT,
    LARGE,
    LOST,
    OK,
    SILENT,
    STATUS,
    FaultServer,
    body,
    client_for,
    end_of,
    send,
)

pytestmark = pytest.mark.one_database

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FAULTS = {
    "no fault": (body(OK), "close", ACCEPTED),
    "no length, closed behind it": (HEAD + b"\r\n" + OK, "close", ACCEPTED),
    "whole chunks": (CHUNKED + b"32\r\n" + OK + b"\r\n0\r\n\r\n", "close", ACCEPTED),
    "reset after the request": (b"", "reset", LOST),
    "reset in the body": (HEAD + b"Content-Length: 99\r\n\r\n" + OK, "reset", LOST),
    "close after the request": (b"", "close", LOST),
    "half-close": (b"", "half-close", LOST),
    "close in the head": (HEAD + b"Content-", "close", BAD),
    "close in the status line": (HEAD[:9], "close", LOST),
    "body cut short": (HEAD + b"Content-Length: 999\r\n\r\n" + OK, "close", LOST),
    "no length and cut short": (HEAD + b"\r\n" + OK[:9], "close", BAD),
    "chunk cut short": (CHUNKED + b"40\r\n" + OK, "close", LOST),
    "no last chunk": (CHUNKED + b"32\r\n" + OK + b"\r\n", "close", LOST),
    "chunk without a size": (CHUNKED + b"xyz\r\n" + OK, "close", LOST),
    "no HTTP": (b"\x00\xff garbage\r\n\r\n", "close", LOST),
    "a head without end": (HEAD + b"X: y\r\n" * 500, "close", LOST),
    # The verdict itself is complete.
    "a length that is none": (
        HEAD + b"Content-Length: x\r\n\r\n" + OK,
        "close",
        ACCEPTED,
    ),
    "a web page": (body(b"<html>Welcome</html>"), "close", BAD),
    "empty body": (body(b""), "close", BAD),
    "code as text": (body(b'{"ErrorCode":"0"}'), "close", BAD),
    "code as bool": (body(b'{"ErrorCode":false}'), "close", BAD),
    "a list": (body(b"[" + OK + b"]"), "close", BAD),
    "packed body": (body(b"\x1f\x8b\x08", b"Content-Encoding: gzip"), "close", BAD),
    "301": (b"HTTP/1.1 301 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "", STATUS),
    "307": (b"HTTP/1.1 307 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "", STATUS),
    "204": (b"HTTP/1.1 204 x\r\n\r\n", "close", STATUS),
    "404": (b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", "close", STATUS),
    "429": (body(OK).replace(b"200 OK", b"429 Slow"), "close", STATUS),
    "500": (b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", "close", STATUS),
    "502": (body(OK).replace(b"200 OK", b"502 Bad"), "close", STATUS),
    "silence": (b"", "silence", SILENT),
    "silence in the body": (HEAD + b"Content-Length: 9\r\n\r\n{", "silence", SILENT),
    "dripping head": (HEAD + b"X: " + b"x" * 500, "drip", SILENT),
    "dripping body": (body(b" " * 500), "drip", SILENT),
    "endless body": (HEAD + b"\r\n" + b" " * 8192, "endless", LARGE),
    "large body": (body(b" " * 70_000), "close", LARGE),
}


@pytest.mark.parametrize("tls", ["", "right"])
@pytest.mark.parametrize("name", FAULTS)
def test_faults_after_the_request(name, tls):
    reply, ending, expected = FAULTS[name]
    limits = IMPATIENT if expected == SILENT else {}
    with FaultServer(reply, ending=ending, tls=tls) as server:
        ca_file = CA_FILE if tls else ""
        with client_for(server.url, ca_file=ca_file, **limits) as client:
            outcome = send(client)

    assert end_of(outcome) == expected
    assert server.received == 1


def test_a_connection_that_breaks_while_the_request_leaves():
    """Accepted and reset at once, unread: never a verdict, whatever the timing."""
    with FaultServer(b"", reads=False, ending="reset") as server:
        with client_for(server.url) as client:
            outcomes = [send(client).kind for _n in range(20)]

    assert set(outcomes) <= {OutcomeKind.UNCONFIRMED, OutcomeKind.NOT_SENT}


def test_a_plain_call_to_a_port_that_wants_tls():
    """The request was sent in clear text; the server may have read it."""
    with FaultServer(body(OK), tls="right") as server:
        with client_for(server.url.replace("https:", "http:")) as client:
            outcome = send(client)

    assert outcome.kind is OutcomeKind.UNCONFIRMED
    assert server.received == 0
