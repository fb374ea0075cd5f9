"""Named faults of the sandbox: what goes wrong for a group, and how it is answered.

A fault is a name, for some with numbers behind colons: ``code:10010``,
``code_times:60007:2``, ``slow:500``. The table below is the only list: the command's
help, the page and the checks read it.
"""

import gzip
import re
import socket
import struct
import threading
from dataclasses import dataclass

from notifications.sandbox import protocol


@dataclass(frozen=True, slots=True)
class Fault:
    """``effect`` continues the sentence "the stand-in …".

    numbers  how many stand behind the name
    shown    whether "members" see the notice
    answers  whether a whole, readable verdict goes out
    """

    effect: str
    numbers: int = 0
    shown: bool = True
    answers: bool = False


FAULTS = {
    # a verdict, but not the plain one
    "code": Fault("answers this ErrorCode", 1, shown=False, answers=True),
    "code_times": Fault(
        "answers this ErrorCode so many times, then works", 2, answers=True
    ),
    "shown_then_code": Fault(
        "shows the notice, but answers this ErrorCode", 1, answers=True
    ),
    "slow": Fault("answers so many milliseconds late", 1, answers=True),
    "no_length_close": Fault("answers without a length, then closes", answers=True),
    "chunked": Fault("answers in chunks", answers=True),
    "close_idle": Fault(
        "answers, promises to keep the connection, and closes it", answers=True
    ),
    # nothing was shown
    "reset_before": Fault("resets the connection before showing it", shown=False),
    "redirect": Fault("answers HTTP 307 to itself", shown=False),
    # shown, and the connection breaks
    "reset_after": Fault("shows the notice, then resets the connection"),
    "close_after": Fault("shows the notice, then closes without an answer"),
    "half_close": Fault("shows the notice, then closes its sending side only"),
    "close_in_head": Fault("shows the notice, then closes within the head"),
    "close_in_body": Fault("shows the notice, then closes within the body"),
    "truncated": Fault("shows the notice, then sends less than it announced"),
    "no_length_cut": Fault("shows the notice, then half an answer without a length"),
    "chunked_truncated": Fault("shows the notice, then closes within a chunk"),
    "chunked_garbage": Fault("shows the notice, then a chunk without a size"),
    # shown, and the answer is no verdict
    "garbage": Fault("shows the notice, then answers what is no HTTP"),
    "html": Fault("shows the notice, then answers a web page"),
    "empty_body": Fault("shows the notice, then answers nothing with HTTP 200"),
    "wrong_json_types": Fault("shows the notice, then answers ErrorCode “0”, a text"),
    "bool_code": Fault("shows the notice, then answers ErrorCode false"),
    "json_list": Fault("shows the notice, then answers a JSON list"),
    "packed_body": Fault("shows the notice, then answers packed with gzip"),
    "status": Fault("shows the notice, then answers this HTTP status", 1),
    "status_502": Fault("shows the notice, then answers HTTP 502"),
    # shown, and the answer does not end
    "no_answer": Fault("shows the notice and never answers"),
    "stall_in_body": Fault("shows the notice, then stops within the body"),
    "drip": Fault("shows the notice, then answers a byte at a time"),
    "drip_head": Fault("shows the notice, then a head a byte at a time"),
    "endless": Fault("shows the notice, then a body that never ends"),
}

NO_FAULT = Fault("works", answers=True)


def named(fault: str) -> Fault:
    """The entry of a fault with or without numbers; of ``""``, that all is well."""
    return FAULTS.get(fault.partition(":")[0], NO_FAULT)


def check_fault(fault: str) -> str:
    """The fault itself. Raises ``ValueError`` with the names there are."""
    name = fault.partition(":")[0]
    known = FAULTS.get(name)
    if fault and not (
        known and re.fullmatch(name + r":[0-9]{1,9}" * known.numbers, fault)
    ):
        raise ValueError(
            f"“{fault}” is no fault. There are: " + ", ".join(map(pattern, FAULTS))
        )
    if name == "status" and not 200 < int(fault.partition(":")[2]) < 600:
        raise ValueError(f"“{fault}” is no fault: a status is from 201 to 599.")
    return fault


def pattern(name: str) -> str:
    """How the fault is written: ``code_times:N:N``."""
    return name + ":N" * FAULTS[name].numbers


def table() -> str:
    """All faults, one a line, for the help of the command."""
    return "\n".join(
        f"  {pattern(name):<18} {fault.effect}" for name, fault in FAULTS.items()
    )


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


def answer_with_fault(
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
