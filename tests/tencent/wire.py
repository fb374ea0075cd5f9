"""Helpers for tests of the client: faulty servers, and calls to them."""

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifications.sandbox.protocol import Account
from notifications.tencent.calls.send_group_system_notification import (
    SendGroupSystemNotification,
)
from notifications.tencent.client import Endpoint, ImClient
from notifications.tencent.outcomes import Outcome, OutcomeKind, Reason
from notifications.tencent.transport import tls_context
from notifications.tencent.user_sig import UserSigCache

KEY = Account().key
OK = b'{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}'
HEAD = b"HTTP/1.1 200 OK\r\n"
TLS = Path(__file__).with_name("tls")
CA_FILE = str(TLS / "ca.pem")

ACCEPTED = (OutcomeKind.ACCEPTED, None)
REJECTED = (OutcomeKind.REJECTED, None)


def unconfirmed(reason: Reason):
    return (OutcomeKind.UNCONFIRMED, reason)


def not_sent(reason: Reason):
    return (OutcomeKind.NOT_SENT, reason)


LOST, BAD = unconfirmed(Reason.CONNECTION_LOST), unconfirmed(Reason.BAD_ANSWER)
SILENT = unconfirmed(Reason.NO_ANSWER)
STATUS = unconfirmed(Reason.HTTP_STATUS)
CONTRADICTION = unconfirmed(Reason.CONTRADICTION)
LARGE = unconfirmed(Reason.TOO_LARGE)


def end_of(outcome: Outcome):
    return (outcome.kind, outcome.reason)


# For servers that never answer, or whose answer never ends.
IMPATIENT = {"connect_timeout": 0.5, "read_timeout": 0.25, "total_deadline": 0.5}


@contextmanager
def client_for(
    url: str, account: Account | None = None, *, ca_file: str = "", **kwargs
) -> Iterator[ImClient]:
    # Long enough for slow machines: only calls with IMPATIENT reach a timeout.
    values = {"connect_timeout": 10, "read_timeout": 20, "total_deadline": 20}
    values["tls"] = tls_context(ca_file)
    account = account or Account()
    endpoint = Endpoint(url, account.sdk_app_id, account.identifier, **values | kwargs)
    client = ImClient(
        endpoint, UserSigCache(account.sdk_app_id, account.key, account.identifier)
    )
    try:
        yield client
    finally:
        client.close()


def send(client: ImClient, group_id: str = "g", content: str = "Hi 你好") -> Outcome:
    return client.call(
        SendGroupSystemNotification(group_id, "Public", content, None)
    ).outcome


def body(content: bytes, *headers: bytes) -> bytes:
    """A correct response with its length."""
    length = b"Content-Length: %d\r\n" % len(content)
    return HEAD + length + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + content


def server_tls(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / f"{name}.pem")
    return context


class TcpServer:
    """Accepts connections and gives each to ``serve`` in a thread of its own.

    ``closed`` is released each time a connection has been closed.
    """

    def __init__(self) -> None:
        self.leaving = threading.Event()
        self.closed = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept)
        self.threads: list[threading.Thread] = []

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.leaving.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for thread in self.threads:
            thread.join()

    def connections(self, expected: int) -> int:
        """Wait for ``expected`` connections (the kernel may delay them); count them."""
        for _n in range(1000):
            if len(self.threads) >= expected:
                break
            time.sleep(0.005)
        return len(self.threads)

    def _accept(self):
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection):
        connection.settimeout(10)
        # Some tests close the connection on the client's side.
        with connection, contextlib.suppress(OSError):
            self.serve(connection)
        self.closed.release()


class FaultServer(TcpServer):
    """Reads a whole request if ``reads`` is set, then writes ``reply``.

    ``received`` counts the connections on which a byte of a request arrived; with
    ``tls``, the name of a certificate, a byte after the handshake.
    """

    def __init__(
        self, reply: bytes, *, reads: bool = True, ending: str = "close", tls: str = ""
    ):
        super().__init__()
        self.reply, self.reads, self.ending = reply, reads, ending
        self.tls = server_tls(tls) if tls else None
        self.greeted = threading.Event()  # after a handshake
        self.received = 0
        self.requests: list[bytes] = []
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self, connection):
        if self.tls:
            with self.tls.wrap_socket(connection, server_side=True) as safe:
                self.greeted.set()
                self._answer(safe)
        else:
            self._answer(connection)

    def _answer(self, connection):
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


class ProxyServer(TcpServer):
    """A proxy that forwards HTTP calls and opens a tunnel (CONNECT) for HTTPS.

    It sends ``reply`` instead of proxying, or nothing if ``silent``. ``asked`` holds
    the request line of each connection.
    """

    def __init__(self, reply: bytes = b"", *, silent: bool = False):
        super().__init__()
        self.reply, self.silent = reply, silent
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.port}"

    def serve(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                return
            head += more
        self.asked.append(head.split(b"\r\n")[0].decode())
        if self.silent:
            self.leaving.wait(5)
        elif self.reply:
            connection.sendall(self.reply)
        else:
            self._pass_on(connection, head)

    def _pass_on(self, connection, head):
        method, target, _version = head.split(b"\r\n")[0].decode().split()
        host, port = re.search(r"([\d.]+):(\d+)", target).groups()
        with socket.create_connection((host, int(port)), timeout=10) as other:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                other.sendall(head.replace(f"http://{host}:{port}".encode(), b"", 1))
            back = threading.Thread(target=_copy, args=(other, connection))
            back.start()
            _copy(connection, other)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy all bytes until one side closes; then close both sides."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:  # one of them left
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
