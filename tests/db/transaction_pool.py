"""A pool of PostgreSQL sessions that works like PgBouncer in one of its modes.

It has its own process number in the greeting, and gives a client the session that was
used last: for each transaction (``mode="transaction"``), or until the client leaves
(``mode="session"``). Clients need no password; those of the server are psycopg's.
"""

import contextlib
import os
import queue
import socket
import struct
import threading

import psycopg

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
PARAMETERS = {
    "server_version": "15.0",
    "client_encoding": "UTF8",
    "server_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "integer_datetimes": "on",
    "TimeZone": "UTC",
}


class Pool:
    def __init__(self, conninfo: str, *, mode: str, size: int) -> None:
        self.by_transaction = mode == "transaction"
        self._idle: queue.LifoQueue[socket.socket] = queue.LifoQueue()
        self._sessions = [psycopg.connect(conninfo) for _n in range(size)]
        for session in self._sessions:
            server = socket.socket(fileno=os.dup(session.fileno()))
            server.settimeout(None)  # libpq made it non-blocking
            self._idle.put(server)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "Pool":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in self._sessions:
            session.close()
        while not self._idle.empty():
            self._idle.get().close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        server = None
        with client, contextlib.suppress(OSError, EOFError):
            self._greet(client)
            while True:
                message = _message(client)
                if message[:1] == b"X":
                    break
                if server is None:
                    server = self._idle.get()
                server.sendall(message)
                if message[:1] not in (b"Q", b"S"):
                    continue
                state = _relay(server, client)
                if state == b"I" and self.by_transaction:
                    self._idle.put(server)
                    server = None
        if server is not None:
            self._idle.put(server)

    def _greet(self, client: socket.socket) -> None:
        while True:
            length, code = struct.unpack("!ii", _exactly(client, 8))
            if code in (SSL_REQUEST, GSS_REQUEST):
                client.sendall(b"N")
                continue
            _exactly(client, length - 8)
            break
        greeting = _packed(b"R", struct.pack("!i", 0))
        for name, value in PARAMETERS.items():
            greeting += _packed(b"S", f"{name}\0{value}\0".encode())
        greeting += _packed(b"K", struct.pack("!ii", 1, 1)) + _packed(b"Z", b"I")
        client.sendall(greeting)


def _relay(server: socket.socket, client: socket.socket) -> bytes:
    """Forward an answer up to ReadyForQuery; return the state of the transaction."""
    while True:
        message = _message(server)
        client.sendall(message)
        if message[:1] == b"Z":
            return message[-1:]


def _packed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _message(connection: socket.socket) -> bytes:
    head = _exactly(connection, 5)
    return head + _exactly(connection, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        more = connection.recv(size - len(content))
        if not more:
            raise EOFError
        content += more
    return content
