"""Faults before the request are "not sent", as the server's own count confirms."""

import socket

import pytest

from notifications.tencent.outcomes import OutcomeKind, Reason
from tests.tencent.wire import (
    ACCEPTED,
    CA_FILE,
    IMPATIENT,
    LOST,
    OK,
    TLS,
    FaultServer,
    ProxyServer,
    body,
    client_for,
    end_of,
    not_sent,
    send,
)

pytestmark = pytest.mark.one_database


def test_a_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client_for(f"http://127.0.0.1:{port}") as client:
        outcomes = [client.connect(), send(client)]

    assert [end_of(o) for o in outcomes] == [not_sent(Reason.REFUSED)] * 2


def test_a_name_without_an_address(monkeypatch):
    def fail(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with client_for("https://im.invalid") as client:
        outcomes = [client.connect(), send(client)]

    assert [end_of(o) for o in outcomes] == [not_sent(Reason.DNS)] * 2


def test_a_connection_that_does_not_come_about():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _n in range(3)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        with client_for(url, connect_timeout=0.2) as client:
            outcomes = [client.connect(), send(client)]
        for filler in fillers:
            filler.close()

    assert [end_of(o) for o in outcomes] == [not_sent(Reason.CONNECT_TIMEOUT)] * 2


@pytest.mark.parametrize("reply", [b"\x00garbage that is no TLS\r\n", b""])
def test_no_tls_on_the_other_side(reply):
    with FaultServer(reply, reads=False) as server:
        tls_url = server.url.replace("http:", "https:")
        with client_for(tls_url) as client:
            outcome = send(client)

    # What the server received is a TLS hello, not a byte of the request.
    assert outcome.kind is OutcomeKind.NOT_SENT
    assert outcome.reason in (Reason.TLS, Reason.CONNECT_FAILED)


@pytest.mark.parametrize(
    ("certificate", "ca_file"),
    [("right", ""), ("other_name", CA_FILE), ("expired", CA_FILE)],
)
def test_a_wrong_certificate(certificate, ca_file):
    with FaultServer(body(OK), tls=certificate) as server:
        with client_for(server.url, ca_file=ca_file) as client:
            outcomes = [client.connect(), send(client)]

    assert [end_of(o) for o in outcomes] == [not_sent(Reason.TLS)] * 2
    assert server.received == 0


def test_a_right_certificate():
    with FaultServer(body(OK), tls="right") as server:
        with client_for(server.url, ca_file=CA_FILE) as client:
            assert client.connect() is None
            outcome = send(client)

    assert end_of(outcome) == ACCEPTED
    assert server.received == 1


def test_a_handshake_that_does_not_end():
    with FaultServer(b"", reads=False, ending="silence") as server:
        tls_url = server.url.replace("http:", "https:")
        with client_for(tls_url, **IMPATIENT) as client:
            outcome = send(client)

    assert end_of(outcome) == not_sent(Reason.CONNECT_TIMEOUT)


def test_a_kept_connection_that_the_server_closed_is_not_used():
    with FaultServer(body(OK)) as server, client_for(server.url) as client:
        outcomes = []
        for _n in range(5):
            assert client.connect() is None
            outcomes.append(send(client).kind)
            assert server.closed.acquire(timeout=5)

    assert outcomes == [OutcomeKind.ACCEPTED] * 5
    assert server.received == 5


def test_a_kept_connection_that_closes_in_the_same_moment():
    """Without ``connect()`` before the call: a new connection or "unconfirmed"."""
    with FaultServer(body(OK)) as server, client_for(server.url) as client:
        outcomes = [end_of(send(client)) for _n in range(200)]

    assert set(outcomes) <= {ACCEPTED, LOST}
    assert outcomes.count(ACCEPTED) == server.received


def test_a_kept_connection_is_left_when_it_was_idle_for_long(monkeypatch):
    with FaultServer(b"", reads=False, ending="silence") as server:
        with client_for(server.url) as client:
            connections = []
            for expected in (1, 3):
                assert client.connect() is None
                assert client.connect() is None
                connections.append(server.connections(expected))
                monkeypatch.setattr(
                    "notifications.tencent.transport.IDLE_SECONDS", -1.0
                )

    assert connections == [1, 3]


def test_a_safe_connection_opened_ahead_is_the_one_that_is_used():
    """TLS 1.3 sends tickets after the handshake; they do not close the connection."""
    with FaultServer(body(OK), tls="right") as server:
        with client_for(server.url, ca_file=CA_FILE) as client:
            assert client.connect() is None
            assert server.greeted.wait(5)
            assert client.connect() is None
            assert end_of(send(client)) == ACCEPTED
            connections = server.connections(1)

    assert connections == server.received == 1


@pytest.mark.parametrize("connects_first", [True, False])
@pytest.mark.parametrize("through_proxy", [True, False])
def test_every_call_trusts_the_certificates_of_the_machine(
    monkeypatch, connects_first, through_proxy
):
    """Also a call without ``connect``, as the connection check makes it."""
    monkeypatch.setenv("SSL_CERT_FILE", CA_FILE)
    with FaultServer(body(OK), tls="right") as server, ProxyServer() as proxy:
        proxy_url = proxy.url if through_proxy else ""
        with client_for(server.url, proxy_url=proxy_url) as client:
            failure = client.connect() if connects_first else None
            outcome = send(client)

    assert (failure, end_of(outcome)) == (None, ACCEPTED)


def test_a_file_of_certificates_replaces_those_of_the_machine(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", CA_FILE)
    other = str(TLS / "expired.pem")  # not the one that signed the server's
    with FaultServer(body(OK), tls="right") as server:
        with client_for(server.url, ca_file=other) as client:
            outcome = send(client)

    assert end_of(outcome) == not_sent(Reason.TLS)
