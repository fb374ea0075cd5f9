"""How far the way to the endpoint goes, and why it ends there."""

import socket
from urllib.parse import urlsplit

import pytest

from notifications.tencent.client import Endpoint
from notifications.tencent.connectivity import Certificate, ConnectionFault, probe
from tests.tencent.wire import CA_FILE, OK, FaultServer, ProxyServer, body

pytestmark = pytest.mark.one_database


def look(url: str, **kwargs):
    values = {"connect_timeout": 10.0} | kwargs
    return probe(Endpoint(url, 1, "administrator", **values))


def test_an_open_way_without_tls():
    with FaultServer(body(OK)) as server:
        way = look(server.url)

    assert (way.fault, way.certificate) == (None, None)
    assert (way.host, way.port) == ("127.0.0.1", server.port)
    assert way.addresses == ("127.0.0.1",)
    assert server.received == 0  # not a byte of a request


def test_a_right_certificate_is_told_of():
    with FaultServer(body(OK), tls="right") as server:
        way = look(server.url, ca_file=CA_FILE)

    assert way.fault is None
    assert isinstance(way.certificate, Certificate)
    assert way.certificate.issuer
    assert way.certificate.days_left(way.certificate.until - 3.5 * 24 * 3600) == 3


@pytest.mark.parametrize(
    ("certificate", "ca_file", "fault"),
    [
        ("expired", CA_FILE, ConnectionFault.EXPIRED),
        ("other_name", CA_FILE, ConnectionFault.OTHER_NAME),
        (
            "right",
            "",
            ConnectionFault.UNTRUSTED,
        ),  # as with a firewall that looks into TLS
    ],
)
def test_a_certificate_that_cannot_be_trusted(certificate, ca_file, fault):
    with FaultServer(body(OK), tls=certificate) as server:
        way = look(server.url, ca_file=ca_file)

    assert (way.fault, way.certificate) == (fault, None)
    assert fault.is_about_tls


def test_what_speaks_no_tls():
    with FaultServer(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads=False) as server:
        way = look(server.url.replace("http:", "https:"))

    assert way.fault is ConnectionFault.NO_TLS


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        way = look(f"http://127.0.0.1:{taken.getsockname()[1]}")

    assert way.fault is ConnectionFault.REFUSED
    assert not way.fault.is_about_tls


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_a_name_without_an_address(monkeypatch, host):
    if host.endswith("invalid"):  # as a name server says it, without asking one

        def nothing(*_args, **_kwargs):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", nothing)

    way = look(f"https://{host}")

    assert (way.fault, way.addresses) == (ConnectionFault.NO_ADDRESS, ())
    assert (way.host, way.port) == (host, 443)


def test_a_name_server_that_does_not_answer(monkeypatch):
    with FaultServer(b"", reads=False, ending="silence") as server:

        def hang(*_args, **_kwargs):
            server.leaving.wait(10)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        endpoint = Endpoint("https://slow.invalid", 1, "administrator")
        way = probe(endpoint, names_within=0.05)

    assert way.fault is ConnectionFault.SLOW_NAMES


def test_through_a_proxy():
    with FaultServer(body(OK), tls="right") as server, ProxyServer() as proxy:
        way = look(server.url, ca_file=CA_FILE, proxy_url=proxy.url)

    assert way.fault is None
    assert way.certificate is not None
    assert (way.host, way.port) == ("127.0.0.1", urlsplit(proxy.url).port)


def test_a_proxy_that_refuses():
    reply = b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n"
    with ProxyServer(reply) as proxy:
        way = look("https://console.tim.qq.com", proxy_url=proxy.url)

    assert (way.fault, way.proxy_status) == (ConnectionFault.PROXY_REFUSED, 407)
