"""The stand-in as an HTTP server: receives calls, writes them down, answers."""

import random
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from . import page, protocol
from .faults import check_fault
from .groups import SandboxGroup, load_groups
from .journal import Journal, JournalEntry
from .protocol import Account, Notice, Refused


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How the stand-in behaves; delays in milliseconds."""

    account: Account = field(default_factory=Account)
    groups: Iterable[SandboxGroup] = field(default_factory=load_groups)
    calls_per_second: int = 200
    latency_ms: float = 0
    jitter_ms: float = 0
    port: int = 0
    journal_path: Path | None = None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    server: "_Server"

    def do_GET(self) -> None:
        sandbox = self.server.sandbox
        if self.path == "/style.css":
            self._reply(200, page.STYLE.encode(), "text/css; charset=utf-8")
        elif self.path.partition("?")[0] == "/":
            html = page.render(list(sandbox.groups.values()), list(sandbox.journal))
            self._reply(200, html.encode(), "text/html; charset=utf-8")
        else:
            self._reply(404, b"Not found.", "text/plain; charset=utf-8")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.sandbox.serve(self, body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the request line holds the UserSig."""

    def _reply(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", page.POLICY)
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, body: bytes, status: int = 200) -> None:
        self._reply(status, body, "application/json")

    def break_connection(self) -> None:
        """Close with a reset instead of a goodbye."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    sandbox: "SandboxServer"

    def __init__(self, port: int) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # narrower than the base
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # narrower than the base
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what a stand-in for faults is made for."""


class SandboxServer:
    """Runs in a thread of its own between ``start`` and ``stop``."""

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config or SandboxConfig()
        self.groups = {group.group_id: group for group in self.config.groups}
        self.journal = Journal(self.config.journal_path)
        self.stopping = threading.Event()
        self._calls: deque[float] = deque()
        self._faulted: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._jitter = random.Random()  # noqa: S311  delays only
        self._server = _Server(self.config.port)
        self._server.sandbox = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        for connection in list(self._server.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was closed already
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def add_group(
        self, group_id: str, group_type: str, name: str = "", fault: str = ""
    ) -> None:
        self.groups[group_id] = SandboxGroup(
            group_id, group_type, name or group_id, check_fault(fault)
        )

    def set_fault(self, group_id: str, fault: str) -> None:
        self.groups[group_id].fault = check_fault(fault)

    # --- one call ------------------------------------------------------------------

    def serve(self, handler: _Handler, body: bytes) -> None:
        """Check, write down, answer."""
        clock = time.monotonic()
        try:
            protocol.check_address(handler.path, self.config.account, time.time())
            notice = protocol.read_body(body)
        except Refused as refused:
            handler.reply_json(protocol.answer(refused.code, refused.text))
            return
        group = self.groups.get(notice.group_id)
        fault = group.fault if group else ""
        code, text = self._verdict(notice, group, clock)
        if code == 0:
            code, fault = self._faulted_code(notice, fault)
        else:
            fault = ""
        name = fault.partition(":")[0]
        shown = code == 0 and name not in ("reset_before", "redirect", "code")
        answers = name in ("", "code", "code_times", "slow", "shown_then_code")
        if name == "shown_then_code":
            code = int(fault.split(":")[1])
        self.journal.add(
            JournalEntry(
                time.time(),
                clock,
                notice.group_id,
                notice.content,
                notice.recipients,
                code if answers else None,
                text,
                fault,
                shown,
            )
        )
        self._wait(fault)
        if answers:
            handler.reply_json(protocol.answer(code, text))
        else:
            _misbehave(handler, name, self.stopping)

    def _verdict(
        self, notice: Notice, group: SandboxGroup | None, clock: float
    ) -> tuple[int, str]:
        with self._lock:
            while self._calls and clock - self._calls[0] >= 1:
                self._calls.popleft()
            self._calls.append(clock)
            if len(self._calls) > self.config.calls_per_second:
                return 60007, "too many calls"
        try:
            protocol.check_group(notice, group.type if group else None)
        except Refused as refused:
            return refused.code, refused.text
        return 0, ""

    def _faulted_code(self, notice: Notice, fault: str) -> tuple[int, str]:
        name, *numbers = fault.split(":")
        if name == "code":
            return int(numbers[0]), fault
        if name == "code_times":
            with self._lock:
                self._faulted[notice.group_id] += 1
                still = self._faulted[notice.group_id] <= int(numbers[1])
            return (int(numbers[0]), fault) if still else (0, "")
        return 0, fault

    def _wait(self, fault: str) -> None:
        jitter = self._jitter.uniform(-1, 1) * self.config.jitter_ms
        delay = max(0.0, self.config.latency_ms + jitter)
        if fault.startswith("slow:"):
            delay += int(fault.split(":")[1])
        if delay:
            self.stopping.wait(delay / 1000)


def _misbehave(handler: _Handler, name: str, stopping: threading.Event) -> None:
    whole = protocol.answer(0)
    match name:
        case "no_answer":
            stopping.wait(60)
            handler.close_connection = True
        case "reset_before" | "reset_after":
            handler.break_connection()
        case "close_after":
            handler.close_connection = True
        case "truncated":
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(whole) + 10))
            handler.end_headers()
            handler.wfile.write(whole)
            handler.close_connection = True
        case "garbage":
            handler.wfile.write(b"\x00\xff\x00 no HTTP \r\n\r\n")
            handler.close_connection = True
        case "html":
            handler.reply_json(b"<html><body>Welcome</body></html>")
        case "bool_code":
            handler.reply_json(b'{"ActionStatus": "OK", "ErrorCode": false}')
        case "status_502":
            handler.reply_json(whole, status=502)
        case "redirect":
            handler.send_response(307)
            handler.send_header("Location", handler.path)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
