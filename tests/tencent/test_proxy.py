"""``IM_PROXY_URL``: CONNECT to a proxy does not count as the request."""

import socket

import pytest

from notifications.tencent.outcomes import OutcomeKind, Reason
from tests.tencent.wire import (
    ACCEPTED,
    CA_FILE,
    IMPATIENT,
    LOST,
    OK,
    STATUS,
    FaultServer,
    ProxyServer,
    body,
    client_for,
    end_of,
    not_sent,
    send,
)

pytestmark = pytest.mark.one_database

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("connects_first", [True, False])
@pytest.mark.parametrize("tls", ["right", ""])
def test_a_call_through_a_proxy(tls, connects_first):
    with ProxyServer() as proxy, FaultServer(body(OK), tls=tls) as server:
        with client_for(server.url, proxy_url=proxy.url, ca_file=CA_FILE) as client:
            if connects_first:
                assert client.connect() is None
            outcome = send(client)

    assert end_of(outcome) == ACCEPTED
    assert server.received == 1
    verb = "CONNECT " if tls else "POST http://"
    assert [line.startswith(verb) for line in proxy.asked] == [True]
    assert ("usersig" in proxy.asked[0]) == (not tls)  # hidden in the tunnel


@pytest.mark.parametrize("tls", ["right", ""])
def test_a_proxy_that_is_not_there(tls):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with FaultServer(body(OK), tls=tls) as server:
        with client_for(server.url, proxy_url=proxy_url, ca_file=CA_FILE) as client:
            outcomes = [client.connect(), send(client)]

    assert [end_of(o) for o in outcomes] == [not_sent(Reason.REFUSED)] * 2
    assert server.received == 0


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        (lambda: ProxyServer(BAD_GATEWAY), Reason.CONNECT_FAILED),
        (
            lambda: ProxyServer(b"HTTP/1.1 407 Who are you\r\n\r\n"),
            Reason.CONNECT_FAILED,
        ),
        (lambda: ProxyServer(b"\x00 no HTTP\r\n\r\n"), Reason.CONNECT_FAILED),
        (lambda: ProxyServer(b"HTTP/1.1 200 "), Reason.CONNECT_FAILED),
        (lambda: ProxyServer(silent=True), Reason.CONNECT_TIMEOUT),
    ],
)
def test_a_tunnel_that_does_not_come_about(proxy, reason):
    """The proxy received bytes, but none of the request: not sent."""
    limits = IMPATIENT if reason is Reason.CONNECT_TIMEOUT else {}
    with proxy() as proxy, FaultServer(body(OK), tls="right") as server:
        with client_for(
            server.url, proxy_url=proxy.url, ca_file=CA_FILE, **limits
        ) as client:
            outcomes = [client.connect(), send(client)]

    assert {o.kind for o in outcomes} == {OutcomeKind.NOT_SENT}
    assert {o.reason for o in outcomes} <= {reason, Reason.TLS}
    assert len(proxy.asked) == 2
    assert server.received == 0


@pytest.mark.parametrize("certificate", ["other_name", "expired"])
def test_a_wrong_certificate_behind_the_tunnel(certificate):
    with ProxyServer() as proxy, FaultServer(body(OK), tls=certificate) as server:
        with client_for(server.url, proxy_url=proxy.url, ca_file=CA_FILE) as client:
            outcome = send(client)

    assert end_of(outcome) == not_sent(Reason.TLS)
    assert len(proxy.asked) == 1
    assert server.received == 0


def test_a_connection_lost_behind_the_tunnel():
    """Bytes inside the tunnel count: the request was sent."""
    with ProxyServer() as proxy, FaultServer(b"", tls="right") as server:
        with client_for(server.url, proxy_url=proxy.url, ca_file=CA_FILE) as client:
            outcome = send(client)

    assert end_of(outcome) == LOST
    assert server.received == 1


def test_a_forwarding_proxy_that_fails():
    """The proxy may have forwarded the request before it failed."""
    with ProxyServer(BAD_GATEWAY) as proxy, FaultServer(body(OK)) as server:
        with client_for(server.url, proxy_url=proxy.url) as client:
            outcome = send(client)

    assert end_of(outcome) == STATUS
    assert outcome.http_status == 502
    assert server.received == 0


def test_variables_of_the_machine_choose_no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with FaultServer(body(OK)) as server, client_for(server.url) as client:
        assert end_of(send(client)) == ACCEPTED


@pytest.mark.parametrize("word", ["proxyword", "anna"])
def test_the_name_and_password_of_a_proxy_are_not_shown(word):
    with (
        FaultServer(body(OK), tls="right") as server,
        ProxyServer(BAD_GATEWAY) as proxy,
    ):
        proxy_url = proxy.url.replace("//", "//anna:proxyword@")
        with client_for(server.url, proxy_url=proxy_url, ca_file=CA_FILE) as client:
            outcome = send(client)
            shown = f"{outcome!r} {client!r} {client.endpoint!r}"

    assert outcome.kind is OutcomeKind.NOT_SENT
    assert word not in shown
