"""One HTTP connection that knows whether a byte of the request has left.

Exception classes do not prove that nothing was sent: the same ones occur before and
after. So the connection counts: ``Progress.sent`` turns true with the first byte of
this request that is handed to a connected socket.
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

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import is_connection_dropped

IDLE_SECONDS = 10.0


# urllib3 logs addresses, even at WARNING, and the address holds the UserSig. Whatever
# it has to say reaches us as an exception. A level could be lowered by a configuration
# of logs, these filters stay.
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
    """How far the present request has come. ``deadline`` is of ``time.monotonic``."""

    sent: bool = False
    deadline: float = float("inf")
    read_timeout: float = 10.0


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket; every read waits at most until the total deadline."""

    def __init__(self, sock: socket.socket, progress: SendProgress) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._progress.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The total deadline has passed.")
        self._sock.settimeout(min(self._progress.read_timeout, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _CountingMixin:
    """Mixin for both kinds of connection."""

    sock: Any
    progress: SendProgress
    debuglevel = 0  # whatever http.client is told: it would print the address
    _tunnelling = False

    def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> PlainResponse:
        response = PlainResponse(sock, *args, **kwargs)
        response.fp.close()
        response.fp = io.BufferedReader(_DeadlineReader(sock, self.progress))
        return response

    def _tunnel(self) -> None:
        # What is said to a proxy is not yet the request.
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


class _PlainConnection(_CountingMixin, HTTPConnection):  # type: ignore[misc]  # response_class
    pass


class _TlsConnection(_CountingMixin, HTTPSConnection):  # type: ignore[misc]  # response_class
    @property
    def is_connected(self) -> bool:
        """Whether the other side is still there.

        urllib3 takes a readable socket for a closed one. With TLS 1.3 session tickets
        come after the handshake: a connection opened ahead would never be used.
        """
        if self.sock is None or super().is_connected:
            return self.sock is not None
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except ssl.SSLWantReadError:
            return True  # only tickets came, and now they are read
        except OSError:
            return False
        return False  # closed, or it speaks before it was asked


class _Adapter(HTTPAdapter):
    """Builds connections that report to one ``Progress``."""

    def __init__(self, progress: SendProgress) -> None:
        self.progress = progress
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def _with_progress(self, manager: Any) -> Any:
        plain = type("Plain", (_PlainConnection,), {"progress": self.progress})
        tls = type("Tls", (_TlsConnection,), {"progress": self.progress})
        manager.pool_classes_by_scheme = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }
        return manager

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager: PoolManager = self._with_progress(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        return self._with_progress(manager) if is_new else manager


class Transport:
    """A session of one thread with one connection to one host."""

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        proxy_url: str = "",
        ca_file: str = "",
    ) -> None:
        self.progress = SendProgress(read_timeout=read_timeout)
        self._timeouts = (connect_timeout, read_timeout)
        self._last_used = 0.0
        self.answer_date = ""  # as the last answer gave it
        self._adapter = _Adapter(self.progress)
        self._session = requests.Session()
        # Else netrc files and proxy variables of the machine would apply.
        self._session.trust_env = False
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)
        self._session.proxies = (
            {"http": proxy_url, "https": proxy_url} if proxy_url else {}
        )
        self._session.verify = ca_file or True
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.headers["Content-Type"] = "application/json"
        # All calls go to one place: what is the same for all of them is made once.
        self._prepared = self._session.prepare_request(
            requests.Request("POST", base_url)
        )
        self._pool: Any = None

    def connect(self) -> None:
        """Open the connection now; raises what ``requests`` and ``urllib3`` raise."""
        self.progress.sent = False
        self.progress.deadline = float("inf")
        if self._pool is None:
            self._pool = self._adapter.get_connection_with_tls_context(
                self._prepared, self._session.verify, proxies=self._session.proxies
            )
        pool = self._pool
        connection = pool._get_conn()  # there is no public way to connect ahead
        try:
            idle = time.monotonic() - self._last_used > IDLE_SECONDS
            if connection.sock is not None and (
                idle or is_connection_dropped(connection)
            ):
                connection.close()
            if connection.sock is None:
                connection.timeout = self._timeouts[0]
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
        """Whom the other side of the open connection proved to be; plain HTTP: none.

        As ``ssl.SSLSocket.getpeercert`` gives it. Call it after ``connect``.
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
        """Status and body, of which at most ``max_body`` + 1 bytes are read.

        ``total_deadline`` in seconds counts from here to the last byte of the answer.
        """
        self.progress.sent = False
        self.progress.deadline = time.monotonic() + total_deadline
        self.answer_date = ""
        request = self._prepared.copy()
        request.url = url
        request.body = body
        request.headers["Content-Length"] = str(len(body))
        # The session would follow redirects, keep cookies and read what is around the
        # program; the adapter below it makes one call.
        with self._adapter.send(
            request,
            stream=True,
            timeout=self._timeouts,
            verify=self._session.verify,
            proxies=self._session.proxies,
        ) as response:
            self.answer_date = response.headers.get("Date", "")
            if response.status_code != 200:
                return response.status_code, b""
            content = response.raw.read(max_body + 1, decode_content=False)
            if len(content) <= max_body:
                # Reads the end of the body, so that the connection can be kept.
                content += response.raw.read(1, decode_content=False)
        self._last_used = time.monotonic()
        return response.status_code, content

    def close(self) -> None:
        self._session.close()
