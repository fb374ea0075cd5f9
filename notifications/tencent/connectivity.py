"""Probe the connection to the endpoint step by step: DNS, TCP, TLS.

The probe uses the same path as the calls: the proxy and the certificates of the
settings. It sends no request to the service and no secret.
"""

import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from notifications.tencent.client import Endpoint
from notifications.tencent.outcomes import NETWORK_ERRORS, Reason, causes_of, not_sent
from notifications.tencent.transport import Transport

DAY = 24 * 3600

_PORTS = {"http": 80, "https": 443}

_SHOWN_ADDRESSES = 3


class ConnectionFault(StrEnum):
    """Why the probe failed. The first two concern DNS, the last four TLS."""

    NO_ADDRESS = "no_address"
    SLOW_NAMES = "slow_names"

    REFUSED = "refused"
    TIMEOUT = "timeout"
    FAILED = "failed"
    PROXY_REFUSED = "proxy_refused"

    EXPIRED = "expired"
    OTHER_NAME = "other_name"
    UNTRUSTED = "untrusted"
    NO_TLS = "no_tls"

    @property
    def is_about_tls(self) -> bool:
        return self in _TLS_FAULTS


_TLS_FAULTS = (
    ConnectionFault.EXPIRED,
    ConnectionFault.OTHER_NAME,
    ConnectionFault.UNTRUSTED,
    ConnectionFault.NO_TLS,
)

# ``verify_code`` of OpenSSL: X509_V_ERR_CERT_HAS_EXPIRED, …_HOSTNAME_MISMATCH and
# …_IP_ADDRESS_MISMATCH; with any other code the certificate is not trusted.
_CERTIFICATE_FAULTS = {
    10: ConnectionFault.EXPIRED,
    62: ConnectionFault.OTHER_NAME,
    64: ConnectionFault.OTHER_NAME,
}

_FAULTS = {
    Reason.DNS: ConnectionFault.NO_ADDRESS,
    Reason.REFUSED: ConnectionFault.REFUSED,
    Reason.CONNECT_TIMEOUT: ConnectionFault.TIMEOUT,
    Reason.TLS: ConnectionFault.NO_TLS,
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of the endpoint; it expires at ``until`` (Unix seconds)."""

    name: str
    issuer: str
    until: float

    def days_left(self, now: float) -> int:
        return int((self.until - now) // DAY)


@dataclass(frozen=True, slots=True)
class ConnectivityResult:
    """The result of a probe; ``fault`` is ``None`` when every step succeeded.

    With a proxy, ``host`` and ``port`` are those of the proxy, and ``proxy_status`` is
    its response to CONNECT. ``certificate`` is ``None`` without TLS.
    """

    host: str
    port: int
    addresses: tuple[str, ...] = ()
    fault: ConnectionFault | None = None
    proxy_status: int | None = None
    certificate: Certificate | None = None


def probe(endpoint: Endpoint, *, dns_timeout: float = 5.0) -> ConnectivityResult:
    """Resolve the host name, connect, and do the TLS handshake."""
    first = urlsplit(endpoint.proxy_url or endpoint.base_url)
    host, port = first.hostname or "", first.port or _PORTS[first.scheme]
    addresses = _resolve(host, port, dns_timeout)
    if not addresses:
        fault = (
            ConnectionFault.SLOW_NAMES
            if addresses is None
            else ConnectionFault.NO_ADDRESS
        )
        return ConnectivityResult(host, port, fault=fault)
    shown = addresses[:_SHOWN_ADDRESSES]
    transport = Transport(
        endpoint.base_url,
        connect_timeout=endpoint.connect_timeout,
        read_timeout=endpoint.read_timeout,
        proxy_url=endpoint.proxy_url,
        tls=endpoint.tls,
    )
    with closing(transport):
        try:
            transport.connect()
        except NETWORK_ERRORS as error:
            return ConnectivityResult(
                host, port, shown, _fault(error), _proxy_status(error)
            )
        peer = transport.certificate()
    return ConnectivityResult(
        host, port, shown, certificate=_certificate(peer) if peer else None
    )


def _resolve(host: str, port: int, timeout: float) -> tuple[str, ...] | None:
    """Return the addresses of a host, or ``None`` after ``timeout`` seconds.

    ``getaddrinfo`` has no timeout, so it runs in a thread of its own.
    """
    results: list[tuple[str, ...] | BaseException] = []

    def resolve() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            results.append(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError):  # UnicodeError: not a valid host name
            results.append(())
        except BaseException as error:  # noqa: BLE001  raised in the caller's thread
            results.append(error)

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(timeout)
    result = results[0] if results else None
    if isinstance(result, BaseException):
        raise result
    return result


def _fault(error: BaseException) -> ConnectionFault:
    for cause in causes_of(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE_FAULTS.get(cause.verify_code, ConnectionFault.UNTRUSTED)
    if _proxy_status(error) is not None:
        return ConnectionFault.PROXY_REFUSED
    reason = not_sent(error).reason or Reason.CONNECT_FAILED
    return _FAULTS.get(reason, ConnectionFault.FAILED)


def _proxy_status(error: BaseException) -> int | None:
    """The status with which a proxy refused the tunnel, from http.client's message."""
    for cause in causes_of(error):
        if match := re.match(r"Tunnel connection failed: (\d{3})\b", str(cause)):
            return int(match[1])
    return None


def _certificate(peer: Mapping[str, Any]) -> Certificate:
    issuer = peer.get("issuer", ())
    return Certificate(
        name=_name_attribute(peer.get("subject", ()), "commonName"),
        issuer=_name_attribute(issuer, "organizationName")
        or _name_attribute(issuer, "commonName"),
        until=ssl.cert_time_to_seconds(peer["notAfter"]),
    )


def _name_attribute(name: Any, attribute: str) -> str:
    """An attribute of a name as ``getpeercert`` returns it, or an empty string."""
    return next((v for part in name for key, v in part if key == attribute), "")
