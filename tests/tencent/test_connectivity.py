"""Probing the connection to the endpoint: every step and every fault."""

import socket
from urllib.parse import urlsplit

import pytest

from notifications.tencent.client import Endpoint
from notifications.tencent.connectivity import Certificate, ConnectionFault, probe
from notifications.tencent.transport import tls_context
from tests.tencent.wire import CA_FILE, OK, FaultServer, ProxyServer, body

pytestmark = pytest.mark.one_database


def run_probe(url: str, *, ca_file: str = "", **kwargs):
    values = {"connect_timeout": 10.0, "tls": tls_context(ca_file)} | kwargs
    return probe(Endpoint(url, 1, "administrator", **values))


def test_an_open_way_without_tls():
    with FaultServer(body(OK)) as server:
        result = run_probe(server.url)

    assert (result.fault, result.certificate) == (None, None)
    assert (result.host, result.port) == ("127.0.0.1", server.port)
    assert result.addresses == ("127.0.0.1",)
    assert server.received == 0  # not one byte of a request


def test_a_valid_certificate():
    with FaultServer(body(OK), tls="right") as server:
        result = run_probe(server.url, ca_file=CA_FILE)

    assert result.fault is None
    assert isinstance(result.certificate, Certificate)
    assert result.certificate.issuer
    assert result.certificate.days_left(result.certificate.until - 3.5 * 24 * 3600) == 3


@pytest.mark.parametrize(
    ("certificate", "ca_file", "fault"),
    [
        ("expired", CA_FILE, ConnectionFault.EXPIRED),
        ("other_name", CA_FILE, ConnectionFault.OTHER_NAME),
        # as with a firewall that decrypts TLS
        ("right", "", ConnectionFault.UNTRUSTED),
    ],
)
def test_a_certificate_that_cannot_be_trusted(certificate, ca_file, fault):
    with FaultServer(body(OK), tls=certificate) as server:
        result = run_probe(server.url, ca_file=ca_file)

    assert (result.fault, result.certificate) == (fault, None)
    assert fault.is_about_tls


def test_a_server_without_tls():
    with FaultServer(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads=False) as server:
        result = run_probe(server.url.replace("http:", "https:"))

    assert result.fault is ConnectionFault.NO_TLS


def test_a_closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = run_probe(f"http://127.0.0.1:{taken.getsockname()[1]}")

    assert result.fault is ConnectionFault.REFUSED
    assert not result.fault.is_about_tls


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_a_name_without_an_address(monkeypatch, host):
    if host.endswith("invalid"):  # the error of a name server

        def fail(*_args, **_kwargs):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", fail)

    result = run_probe(f"https://{host}")

    assert (result.fault, result.addresses) == (ConnectionFault.NO_ADDRESS, ())
    assert (result.host, result.port) == (host, 443)


def test_a_name_server_that_does_not_answer(monkeypatch):
    with FaultServer(b"", reads=False, ending="silence") as server:

        def hang(*_args, **_kwargs):
            server.leaving.wait(10)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        endpoint = Endpoint("https://slow.invalid", 1, "administrator")
        result = probe(endpoint, dns_timeout=0.05)

    assert result.fault is ConnectionFault.SLOW_NAMES


def test_through_a_proxy():
    with FaultServer(body(OK), tls="right") as server, ProxyServer() as proxy:
        result = run_probe(server.url, ca_file=CA_FILE, proxy_url=proxy.url)

    assert result.fault is None
    assert result.certificate is not None
    assert (result.host, result.port) == ("127.0.0.1", urlsplit(proxy.url).port)


def test_a_proxy_that_refuses():
    reply = b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n"
    with ProxyServer(reply) as proxy:
        result = run_probe("https://console.tim.qq.com", proxy_url=proxy.url)

    assert (result.fault, result.proxy_status) == (ConnectionFault.PROXY_REFUSED, 407)


def test_an_error_while_a_name_is_resolved_is_raised(monkeypatch):
    """In the thread of the caller: it is no time-out."""

    def fail(*_args: object, **_kwargs: object) -> None:
        raise KeyError("mistake")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(KeyError, match="mistake"):
        run_probe("http://example.com")
