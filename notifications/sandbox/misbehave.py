"""What goes out on the wire for each fault of ``faults.py``."""

import gzip
import socket
import struct
import threading

from . import protocol

WHOLE = protocol.answer(0)
# Short enough for tests, long enough that no deadline of a client is met by it.
DRIP_SECONDS = 0.02
LONGEST_SILENCE = 60.0


def head(*fields: str, status: int = 200) -> bytes:
    """A status line and fields of a head, with the empty line that ends it."""
    lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else '-'}", *fields]
    return "\r\n".join([*lines, "", ""]).encode()


def whole(body: bytes, *fields: str, status: int = 200) -> bytes:
    """An answer as it should be, with its length."""
    return head(f"Content-Length: {len(body)}", *fields, status=status) + body


LENGTH = f"Content-Length: {len(WHOLE)}"
CHUNKS = head("Transfer-Encoding: chunked")
CHUNK = b"%x\r\n%b" % (len(WHOLE), WHOLE)

# All that is ever sent; the connection is closed behind it.
THEN_CLOSE = {
    "close_after": b"",
    "close_in_head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "close_in_body": head(LENGTH) + WHOLE[: len(WHOLE) // 2],
    "truncated": head(f"Content-Length: {len(WHOLE) + 10}") + WHOLE,
    "no_length_close": head() + WHOLE,
    "no_length_cut": head() + WHOLE[: len(WHOLE) // 2],
    "chunked_truncated": CHUNKS + CHUNK[: len(CHUNK) // 2],
    "chunked_garbage": CHUNKS + b"xyz\r\n" + WHOLE,
    "garbage": b"\x00\xff\x00 no HTTP \r\n\r\n",
    "close_idle": whole(WHOLE),
}
# Right as HTTP: the connection is kept.
THEN_KEEP = {
    "chunked": CHUNKS + CHUNK + b"\r\n0\r\n\r\n",
    "html": whole(b"<html><body>Welcome</body></html>"),
    "empty_body": whole(b""),
    "wrong_json_types": whole(b'{"ActionStatus": 1, "ErrorCode": "0"}'),
    "bool_code": whole(b'{"ActionStatus": "OK", "ErrorCode": false}'),
    "json_list": whole(b"[" + WHOLE + b"]"),
    "packed_body": whole(gzip.compress(WHOLE), "Content-Encoding: gzip"),
    "status_502": whole(WHOLE, status=502),
}

# Verdicts that go out in an unusual way.
OWN_ANSWER = frozenset({"no_length_close", "chunked", "close_idle"})


def misbehave(
    connection: socket.socket, fault: str, target: str, stopping: threading.Event
) -> bool:
    """Do what the fault says; whether the connection may be kept.

    ``target`` is the address that was asked for, ``stopping`` is set when the
    stand-in ends. Raises ``OSError`` when the client leaves.
    """
    name, _, number = fault.partition(":")
    if name in THEN_KEEP:
        connection.sendall(THEN_KEEP[name])
        return True
    match name:
        case "redirect":
            connection.sendall(whole(b"", f"Location: {target}", status=307))
            return True
        case "status":
            status = int(number)
            # These have no body, whatever the length says.
            body = b"" if status in (204, 304) else WHOLE
            connection.sendall(whole(body, status=status))
            return True
        case "reset_before" | "reset_after":
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # Closed here: a shutdown first would be a goodbye instead of a reset.
            connection.close()
        case "half_close":
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(LONGEST_SILENCE)
            connection.recv(1)
        case "no_answer":
            stopping.wait(LONGEST_SILENCE)
        case "stall_in_body":
            connection.sendall(head(LENGTH) + b"{")
            stopping.wait(LONGEST_SILENCE)
        case "drip":
            connection.sendall(head("Content-Length: 10000"))
            _drip(connection, b" " * 10_000, stopping)
        case "drip_head":
            _drip(connection, head("X-Drip: " + "x" * 10_000), stopping)
        case "endless":
            connection.sendall(head())
            while not stopping.is_set():
                connection.sendall(b" " * 8192)
        case _:
            connection.sendall(THEN_CLOSE[name])
    return False


def _drip(connection: socket.socket, content: bytes, stopping: threading.Event) -> None:
    for byte in content:
        if stopping.wait(DRIP_SECONDS):
            return
        connection.sendall(bytes([byte]))
