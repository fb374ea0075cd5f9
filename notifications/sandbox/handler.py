"""The HTTP server of the sandbox: reads requests, writes responses.

``http.server`` parses heads with the e-mail parser and writes a response in several
pieces. Both are replaced, because benchmarks of the worker need a faster endpoint.
"""

import socket
import sys
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from notifications.sandbox import faults, protocol
from notifications.sandbox import page as sandbox_page
from notifications.sandbox.faults import fault_info

if TYPE_CHECKING:
    from notifications.sandbox.server import SandboxServer

MAX_LINE = 65536

MAX_FIELDS = 100

MAX_BODY = 1024 * 1024


class SandboxHandler(BaseHTTPRequestHandler):
    """Serves one connection in its own thread."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    raw_requestline: bytes  # of the base class, which does not declare it
    server: "SandboxHttpServer"

    def parse_request(self) -> bool:
        """Read method, target and headers, with names in lower case."""
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
        closes = self.fields.get("connection", "").lower() == "close"
        self.close_connection = closes or self.request_version == "HTTP/1.0"
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
        """Log nothing: the request line contains the UserSig."""

    def _body(self) -> bytes | None:
        """The body, or ``None`` if the length is invalid or the body is shorter."""
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
            faults.response(reply.body, *reply.fields, status=reply.status)
        )

    def _call(self, body: bytes) -> None:
        sandbox = self.server.sandbox
        answer = sandbox.receive(self.path, body)
        sandbox.wait(answer.fault)
        name, _, number = answer.fault.partition(":")
        text = protocol.answer(answer.code, answer.text, answer.fields)
        if fault_info(answer.fault).answers and name not in faults.UNUSUAL_VERDICTS:
            date = formatdate(sandbox.now(), usegmt=True)
            self.connection.sendall(faults.response(text, f"Date: {date}"))
        elif not faults.answer_with_fault(
            self.connection, answer.fault, self.path, sandbox.stopping, text
        ):
            self.close_connection = True
        if answer.afterwards:
            self.rfile.close()  # the last reference to a closed socket
            sandbox.stopping.wait(int(number) / 1000)
            answer.afterwards()


class SandboxHttpServer(ThreadingHTTPServer):
    """Tracks its open connections, so that it can stop while clients hold them open."""

    daemon_threads = True
    request_queue_size = 256
    sandbox: "SandboxServer"

    def __init__(self, port: int) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), SandboxHandler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # narrower than the base
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # narrower than the base
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect: tests of faults do so on purpose."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Close every open connection."""
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # already closed
