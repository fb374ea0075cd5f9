"""The HTTP side of the stand-in: reads requests, writes answers.

The base class reads heads with the parser for e-mail and writes an answer in several
pieces; both are replaced, because a stand-in slower than the worker would measure
itself.
"""

import socket
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from notifications.sandbox import faults, protocol
from notifications.sandbox import page as sandbox_page
from notifications.sandbox.faults import named

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

MAX_LINE = 65536

MAX_FIELDS = 100

MAX_BODY = 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """One connection; a thread each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    raw_requestline: bytes  # of the base class, which does not declare it
    server: "Server"

    def parse_request(self) -> bool:
        """Method, target and the fields of the head, names in small letters."""
        self.close_connection = True
        words = self.raw_requestline.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return False
        self.command, self.path, self.request_version = words
        self.fields: dict[str, str] = {}
        for _n in range(MAX_FIELDS):
            line = self.rfile.readline(MAX_LINE)
            if line in (b"\r\n", b"\n"):
                break
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                return False
            self.fields[name.lower()] = value.strip()
        else:
            return False
        kept = self.fields.get("connection", "").lower() != "close"
        self.close_connection = not kept or self.request_version == "HTTP/1.0"
        return True

    def do_GET(self) -> None:
        self._page(b"")

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
        elif self.path.startswith("/v4/"):
            self._call(body)
        else:
            self._page(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the request line holds the UserSig."""

    def _body(self) -> bytes | None:
        """The body, or ``None`` when its length is wrong or less than it comes."""
        length = self.fields.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY):
            return None
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def _page(self, body: bytes) -> None:
        reply = sandbox_page.respond(
            self.server.sandbox, self.command, self.path, self.fields, body
        )
        self.connection.sendall(
            faults.whole(reply.body, *reply.fields, status=reply.status)
        )

    def _call(self, body: bytes) -> None:
        sandbox = self.server.sandbox
        answer = sandbox.receive(self.path, body)
        sandbox.wait(answer.fault)
        name = answer.fault.partition(":")[0]
        if named(answer.fault).answers and name not in faults.OWN_ANSWER:
            text = protocol.answer(answer.code, answer.text, answer.fields)
            date = formatdate(sandbox.now(), usegmt=True)
            self.connection.sendall(faults.whole(text, f"Date: {date}"))
        elif not faults.answer_with_fault(
            self.connection, answer.fault, self.path, sandbox.stopping
        ):
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """Knows its open connections, so that it can end while clients keep theirs."""

    daemon_threads = True
    request_queue_size = 256
    sandbox: "SandboxServer"

    def __init__(self, port: int) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # narrower than the base
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # narrower than the base
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what a stand-in for faults is made for."""

    def leave_all(self) -> None:
        """Close every open connection."""
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was closed already
