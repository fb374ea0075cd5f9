"""One HTTP connection that records whether a byte of the request was sent.

Exception classes do not prove that nothing was sent: the same classes occur before and
after. So the connection sets ``SendProgress.sent`` with the first byte of the request
that it writes to a connected socket.
"""

import io
import logging
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse as PlainResponse
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Timeout
from urllib3.util.connection import is_connection_dropped

IDLE_SECONDS = 10.0


# urllib3 logs URLs, even at WARNING, and the URL contains the UserSig. Its errors also
# arrive as exceptions. A logging configuration could lower a level; these filters stay.
for _module in (
    "connection",
    "connectionpool",
    "poolmanager",
    "response",
    "util.retry",
):
    logging.getLogger(f"urllib3.{_module}").addFilter(lambda _record: False)


@dataclass(slots=True)
class SendProgress:
    """The state of the current request. ``deadline`` is in ``time.monotonic`` seconds."""

    sent: bool = False
    deadline: float = float("inf")
    read_timeout: float = 10.0


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket; no read waits longer than the total deadline."""

    def __init__(self, sock: socket.socket, progress: SendProgress) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._progress.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("The total deadline has passed.")
        self._sock.settimeout(min(self._progress.read_timeout, remaining))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _ProgressMixin:
    """Sets ``progress.sent`` and applies the deadline, for HTTP and HTTPS."""

    sock: Any
    progress: SendProgress
    debuglevel = 0  # overrides the global of http.client, which would print the URL
    _tunnelling = False

    def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> PlainResponse:
        response = PlainResponse(sock, *args, **kwargs)
        response.fp.close()
        response.fp = io.BufferedReader(_DeadlineReader(sock, self.progress))
        return response

    def _tunnel(self) -> None:
        # CONNECT to a proxy is not yet the request.
        self._tunnelling = True
        try:
            super()._tunnel()  # type: ignore[misc]  # of http.client
        finally:
            self._tunnelling = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]  # of urllib3
        if not self._tunnelling:
            self.progress.sent = True
        super().send(data)  # type: ignore[misc]  # of http.client


class _PlainConnection(_ProgressMixin, HTTPConnection):  # type: ignore[misc]  # response_class
    pass


class _TlsConnection(_ProgressMixin, HTTPSConnection):  # type: ignore[misc]  # response_class
    @property
    def is_connected(self) -> bool:
        """Whether the server still holds the connection open.

        urllib3 treats a readable socket as closed. TLS 1.3 sends session tickets after
        the handshake, so it would discard every connection opened in advance.
        """
        if self.sock is None or super().is_connected:
            return self.sock is not None
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except ssl.SSLWantReadError:
            return True  # there were only tickets, which are now read
        except OSError:
            return False
        return False  # closed, or data without a request


class NoCertificate(ValueError):
    """The file contains no certificate in PEM."""


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Trust the certificates of the machine, or only those in ``ca_file``.

    Raises ``NoCertificate``, or ``OSError`` if the file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError as error:
        raise NoCertificate(ca_file) from error
    if ca_file and not context.cert_store_stats()["x509"]:
        raise NoCertificate(ca_file)
    return context


class _Adapter(HTTPAdapter):
    """Builds connections that update one ``SendProgress`` and use one ``tls``."""

    def __init__(self, progress: SendProgress, tls: ssl.SSLContext) -> None:
        self.progress = progress
        self.tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def cert_verify(self, *_args: Any) -> None:
        """Nothing to set: requests would trust the certificates of certifi."""

    def _with_progress(self, manager: Any) -> Any:
        plain = type("Plain", (_PlainConnection,), {"progress": self.progress})
        tls = type("Tls", (_TlsConnection,), {"progress": self.progress})
        manager.pool_classes_by_scheme = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }
        return manager

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self.tls, **kwargs)
        self.poolmanager: PoolManager = self._with_progress(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(
            proxy, ssl_context=self.tls, proxy_ssl_context=self.tls, **kwargs
        )
        return self._with_progress(manager) if is_new else manager


class Transport:
    """A session with one connection to one host. Not thread-safe.

    Raises ``ValueError`` for an address that ``requests`` cannot use.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        proxy_url: str = "",
        tls: ssl.SSLContext,
    ) -> None:
        self.progress = SendProgress(read_timeout=read_timeout)
        self._timeout = Timeout(connect=connect_timeout, read=read_timeout)
        self._last_used = 0.0
        self.answer_date = ""  # the Date header of the last response
        self._adapter = _Adapter(self.progress, tls)
        self._session = requests.Session()
        # Ignore netrc files and proxy variables of the machine.
        self._session.trust_env = False
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)
        self._session.proxies = (
            {"http": proxy_url, "https": proxy_url} if proxy_url else {}
        )
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.headers["Content-Type"] = "application/json"
        # All calls go to one host: prepare what they have in common once.
        prepared = self._session.prepare_request(requests.Request("POST", base_url))
        self._pool: Any = self._adapter.get_connection_with_tls_context(
            prepared, verify=True, proxies=self._session.proxies
        )
        self._headers = dict(prepared.headers)
        # A proxy without a tunnel gets the whole URL.
        is_whole = self._pool.proxy is not None and self._pool.scheme == "http"
        host = urlsplit(base_url)
        self._skipped = 0 if is_whole else len(f"{host.scheme}://{host.netloc}")

    def connect(self) -> None:
        """Open the connection. Raise the exceptions of ``requests`` and ``urllib3``."""
        self.progress.sent = False
        self.progress.deadline = float("inf")
        pool = self._pool
        connection = pool._get_conn()  # there is no public API to connect in advance
        try:
            idle = time.monotonic() - self._last_used > IDLE_SECONDS
            if connection.sock is not None and (
                idle or is_connection_dropped(connection)
            ):
                connection.close()
            if connection.sock is None:
                connection.timeout = self._timeout.connect_timeout
                if pool.proxy and pool.scheme == "https":
                    pool._prepare_proxy(connection)
                else:
                    connection.connect()
                self._last_used = time.monotonic()
        except BaseException:
            connection.close()
            raise
        finally:
            pool._put_conn(connection)

    def certificate(self) -> Mapping[str, Any] | None:
        """The server's certificate as ``getpeercert`` returns it; ``None`` without TLS.

        Call it after ``connect``.
        """
        connection = self._pool._get_conn()
        try:
            if not isinstance(connection.sock, ssl.SSLSocket):
                return None
            return connection.sock.getpeercert()
        finally:
            self._pool._put_conn(connection)

    def post(
        self, url: str, body: bytes, *, total_deadline: float, max_body: int
    ) -> tuple[int, bytes]:
        """Return the status and at most ``max_body`` + 1 bytes of the body.

        ``total_deadline`` limits the seconds from now to the last byte of the response.
        """
        self.progress.sent = False
        self.progress.deadline = time.monotonic() + total_deadline
        self.answer_date = ""
        # The session would follow redirects, keep cookies and read the environment, and
        # its adapter works out anew for each call what is the same for all of them. The
        # pool below makes exactly one request.
        response = self._pool.urlopen(
            "POST",
            url[self._skipped :],
            body=body,
            headers=self._headers | {"Content-Length": str(len(body))},
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )
        try:
            self.answer_date = response.headers.get("Date", "")
            if response.status != 200:
                response.close()
                return response.status, b""
            content = response.read(max_body + 1, decode_content=False)
            if len(content) <= max_body:
                # Reads the end of the body, so that the connection can be reused.
                content += response.read(1, decode_content=False)
        finally:
            response.release_conn()
        self._last_used = time.monotonic()
        return response.status, content

    def close(self) -> None:
        self._session.close()
