"""Named faults of the sandbox, and the responses that they cause.

A fault is a name, some with numbers after colons: ``code:10010``,
``code_times:60007:2``, ``slow:500``. ``FAULTS`` is the only list: the command's help,
the page and the checks read it.
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
    """``effect`` continues the sentence "the sandbox …".

    numbers  how many numbers follow the name
    shown    whether "members" see the notice
    answers  whether the sandbox sends a complete, readable verdict
    """

    effect: str
    numbers: int = 0
    shown: bool = True
    answers: bool = False


FAULTS = {
    # a verdict, but an unusual one
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
    "no_action_status": Fault("answers without an ActionStatus", answers=True),
    "close_idle": Fault(
        "answers, promises to keep the connection, and closes it", answers=True
    ),
    # not shown
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
    "fail_with_0": Fault("shows the notice, then answers FAIL with ErrorCode 0"),
    "ok_with_code": Fault("shows the notice, then answers OK with this ErrorCode", 1),
    "odd_action_status": Fault("shows the notice, then answers ActionStatus DONE"),
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


def fault_info(fault: str) -> Fault:
    """The entry of a fault with or without numbers; ``NO_FAULT`` for ``""``."""
    return FAULTS.get(fault.partition(":")[0], NO_FAULT)


def check_fault(fault: str) -> str:
    """Return the fault. Raise ``ValueError`` with all names if it is unknown."""
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
    """The syntax of a fault: ``code_times:N:N``."""
    return name + ":N" * FAULTS[name].numbers


def table() -> str:
    """All faults, one per line, for the help of the command."""
    return "\n".join(
        f"  {pattern(name):<18} {fault.effect}" for name, fault in FAULTS.items()
    )


OK_BODY = protocol.answer(0)

# Short enough for tests, long enough that no response ends before a client's deadline.
DRIP_SECONDS = 0.02

LONGEST_SILENCE = 60.0


def head(*fields: str, status: int = 200) -> bytes:
    """The head of a response: status line, headers, empty line."""
    lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else '-'}", *fields]
    return "\r\n".join([*lines, "", ""]).encode()


def response(body: bytes, *fields: str, status: int = 200) -> bytes:
    """A correct response with its length."""
    return head(f"Content-Length: {len(body)}", *fields, status=status) + body


LENGTH = f"Content-Length: {len(OK_BODY)}"

CHUNKS = head("Transfer-Encoding: chunked")

CHUNK = b"%x\r\n%b" % (len(OK_BODY), OK_BODY)


# Everything the sandbox sends before it closes the connection.
CLOSING_RESPONSES = {
    "close_after": b"",
    "close_in_head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "close_in_body": head(LENGTH) + OK_BODY[: len(OK_BODY) // 2],
    "truncated": head(f"Content-Length: {len(OK_BODY) + 10}") + OK_BODY,
    "no_length_close": head() + OK_BODY,
    "no_length_cut": head() + OK_BODY[: len(OK_BODY) // 2],
    "chunked_truncated": CHUNKS + CHUNK[: len(CHUNK) // 2],
    "chunked_garbage": CHUNKS + b"xyz\r\n" + OK_BODY,
    "garbage": b"\x00\xff\x00 no HTTP \r\n\r\n",
    "close_idle": response(OK_BODY),
}

# Correct HTTP: the connection stays open.
KEEPING_RESPONSES = {
    "chunked": CHUNKS + CHUNK + b"\r\n0\r\n\r\n",
    "html": response(b"<html><body>Welcome</body></html>"),
    "empty_body": response(b""),
    "wrong_json_types": response(b'{"ActionStatus": 1, "ErrorCode": "0"}'),
    "bool_code": response(b'{"ActionStatus": "OK", "ErrorCode": false}'),
    "fail_with_0": response(protocol.answer(0, fields={"ActionStatus": "FAIL"})),
    "odd_action_status": response(protocol.answer(0, fields={"ActionStatus": "DONE"})),
    "no_action_status": response(b'{"ErrorCode": 0, "ErrorInfo": ""}'),
    "json_list": response(b"[" + OK_BODY + b"]"),
    "packed_body": response(gzip.compress(OK_BODY), "Content-Encoding: gzip"),
    "status_502": response(OK_BODY, status=502),
}


# Faults with a verdict in an unusual HTTP form.
UNUSUAL_VERDICTS = frozenset(
    {"no_length_close", "chunked", "no_action_status", "close_idle"}
)


def answer_with_fault(
    connection: socket.socket, fault: str, target: str, stopping: threading.Event
) -> bool:
    """Cause the fault. Return whether the connection can stay open.

    ``target`` is the requested path; ``stopping`` is set when the sandbox stops. Raises
    ``OSError`` when the client disconnects.
    """
    name, _, number = fault.partition(":")
    if name in KEEPING_RESPONSES:
        connection.sendall(KEEPING_RESPONSES[name])
        return True
    match name:
        case "redirect":
            connection.sendall(response(b"", f"Location: {target}", status=307))
            return True
        case "status":
            status = int(number)
            # Responses with these statuses have no body.
            body = b"" if status in (204, 304) else OK_BODY
            connection.sendall(response(body, status=status))
            return True
        case "ok_with_code":
            fields = {"ActionStatus": "OK"}
            text = protocol.answer(int(number), "contradiction", fields)
            connection.sendall(response(text))
            return True
        case "reset_before" | "reset_after":
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # A shutdown before close would send FIN instead of RST.
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
            connection.sendall(CLOSING_RESPONSES[name])
    return False


def _drip(connection: socket.socket, content: bytes, stopping: threading.Event) -> None:
    for byte in content:
        if stopping.wait(DRIP_SECONDS):
            return
        connection.sendall(bytes([byte]))
