"""The way to the endpoint, tried a step at a time: name, connection, TLS.

On the very path that calls take, through the proxy and with the certificates of the
settings. Nothing is asked of the service, and nothing secret leaves.
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
    """Why the way ended. The first two are about the name, the last four about TLS."""

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
# …_IP_ADDRESS_MISMATCH; whatever else it may be, the certificate is not trusted.
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
    """Of the endpoint. ``until`` in Unix seconds."""

    name: str
    issuer: str
    until: float

    def days_left(self, now: float) -> int:
        return int((self.until - now) // DAY)


@dataclass(frozen=True, slots=True)
class ConnectivityResult:
    """How far it went; ``fault`` is ``None`` when all of it is open.

    ``host`` and ``port`` are of the proxy where there is one, whose answer to CONNECT
    is ``proxy_status``. ``certificate`` is ``None`` without TLS.
    """

    host: str
    port: int
    addresses: tuple[str, ...] = ()
    fault: ConnectionFault | None = None
    proxy_status: int | None = None
    certificate: Certificate | None = None


def probe(endpoint: Endpoint, *, names_within: float = 5.0) -> ConnectivityResult:
    """Look the name up (in ``names_within`` seconds), connect, greet with TLS."""
    first = urlsplit(endpoint.proxy_url or endpoint.base_url)
    host, port = first.hostname or "", first.port or _PORTS[first.scheme]
    addresses = _look_up(host, port, names_within)
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
        ca_file=endpoint.ca_file,
    )
    with closing(transport):
        try:
            transport.connect()
        except NETWORK_ERRORS as error:
            return ConnectivityResult(
                host, port, shown, _fault(error), _proxy_status(error)
            )
        found = transport.certificate()
    return ConnectivityResult(
        host, port, shown, certificate=_certificate(found) if found else None
    )


def _look_up(host: str, port: int, within: float) -> tuple[str, ...] | None:
    """Its addresses; ``None`` when nothing was said in time.

    The look-up itself has no time-out, so that it is left to a thread of its own.
    """
    found: list[tuple[str, ...]] = []

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # the latter: no name at all
            rows = []
        found.append(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(within)
    return found[0] if found else None


def _fault(error: BaseException) -> ConnectionFault:
    for cause in causes_of(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE_FAULTS.get(cause.verify_code, ConnectionFault.UNTRUSTED)
    if _proxy_status(error) is not None:
        return ConnectionFault.PROXY_REFUSED
    reason = not_sent(error).reason
    return (
        _FAULTS.get(reason, ConnectionFault.FAILED)
        if reason
        else ConnectionFault.FAILED
    )


def _proxy_status(error: BaseException) -> int | None:
    """What a proxy answered instead of opening the tunnel (http.client says it so)."""
    for cause in causes_of(error):
        if found := re.match(r"Tunnel connection failed: (\d{3})\b", str(cause)):
            return int(found[1])
    return None


def _certificate(found: Mapping[str, Any]) -> Certificate:
    return Certificate(
        name=_field(found.get("subject", ()), "commonName"),
        issuer=_field(found.get("issuer", ()), "organizationName")
        or _field(found.get("issuer", ()), "commonName"),
        until=ssl.cert_time_to_seconds(found["notAfter"]),
    )


def _field(names: Any, wanted: str) -> str:
    """One part of a name as ``getpeercert`` gives it, or an empty string."""
    return next((v for part in names for key, v in part if key == wanted), "")
