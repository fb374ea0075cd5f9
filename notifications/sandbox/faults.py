"""Named faults of the sandbox, and the responses that they cause.

A fault is a name, some with numbers after colons: ``code:10010``,
``code_times:60007:2``, ``slow:500``. ``FAULTS`` is the only list: the command's help,
the page and the checks read it. They concern notices, messages, recalls and corrections
alike: a message that is shown is stored, too, and to show a recall or a correction is to
carry it out.
"""

import gzip
import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from notifications.sandbox import protocol


@dataclass(frozen=True, slots=True)
class Fault:
    """``effect`` continues the sentence "the sandbox …".

    numbers  how many numbers follow the name
    shown    whether "members" see the notice or the message
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
    "shown_then_code": Fault("shows it, but answers this ErrorCode", 1, answers=True),
    "ret_code": Fault(
        "answers OK to a recall, but this RetCode for each message, and takes none back",
        1,
        shown=False,
        answers=True,
    ),
    "shown_then_ret_code": Fault(
        "takes messages back, but answers this RetCode for each of them",
        1,
        answers=True,
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
    "silent_before": Fault("never answers, and does not show it", shown=False),
    "redirect": Fault("answers HTTP 307 to itself", shown=False),
    # shown, and the connection breaks
    "reset_after": Fault("shows it, then resets the connection"),
    "close_after": Fault("shows it, then closes without an answer"),
    "shown_late": Fault(
        "resets the connection, and shows it so many milliseconds later", 1
    ),
    "half_close": Fault("shows it, then closes its sending side only"),
    "close_in_head": Fault("shows it, then closes within the head"),
    "close_in_body": Fault("shows it, then closes within the body"),
    "truncated": Fault("shows it, then sends less than it announced"),
    "no_length_cut": Fault("shows it, then half an answer without a length"),
    "chunked_truncated": Fault("shows it, then closes within a chunk"),
    "chunked_garbage": Fault("shows it, then a chunk without a size"),
    # shown, and the answer is no verdict
    "garbage": Fault("shows it, then answers what is no HTTP"),
    "html": Fault("shows it, then answers a web page"),
    "empty_body": Fault("shows it, then answers nothing with HTTP 200"),
    "wrong_json_types": Fault("shows it, then answers ErrorCode “0”, a text"),
    "bool_code": Fault("shows it, then answers ErrorCode false"),
    "fail_with_0": Fault("shows it, then answers FAIL with ErrorCode 0"),
    "ok_with_code": Fault("shows it, then answers OK with this ErrorCode", 1),
    "odd_action_status": Fault("shows it, then answers ActionStatus DONE"),
    "json_list": Fault("shows it, then answers a JSON list"),
    "packed_body": Fault("shows it, then answers packed with gzip"),
    "status": Fault("shows it, then answers this HTTP status", 1),
    "status_502": Fault("shows it, then answers HTTP 502"),
    # shown, and the answer does not end
    "no_answer": Fault("shows it and never answers"),
    "stall_in_body": Fault("shows it, then stops within the body"),
    "drip": Fault("shows it, then answers a byte at a time"),
    "drip_head": Fault("shows it, then a head a byte at a time"),
    "endless": Fault("shows it, then a body that never ends"),
}

# Other calls than recalls work with these.
OF_RECALLS = frozenset({"ret_code", "shown_then_ret_code"})

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
        f"  {pattern(name):<22} {fault.effect}" for name, fault in FAULTS.items()
    )


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


def _length(ok: bytes) -> str:
    return f"Content-Length: {len(ok)}"


CHUNKS = head("Transfer-Encoding: chunked")


def _chunk(ok: bytes) -> bytes:
    return b"%x\r\n%b" % (len(ok), ok)


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


# Everything the sandbox sends before it closes the connection; the argument of each is
# the right body.
CLOSING_RESPONSES: dict[str, Callable[[bytes], bytes]] = {
    "close_after": lambda _ok: b"",
    "close_in_head": lambda _ok: b"HTTP/1.1 200 OK\r\nContent-Le",
    "close_in_body": lambda ok: head(_length(ok)) + _half(ok),
    "truncated": lambda ok: head(f"Content-Length: {len(ok) + 10}") + ok,
    "no_length_close": lambda ok: head() + ok,
    "no_length_cut": lambda ok: head() + _half(ok),
    "chunked_truncated": lambda ok: CHUNKS + _half(_chunk(ok)),
    "chunked_garbage": lambda ok: CHUNKS + b"xyz\r\n" + ok,
    "garbage": lambda _ok: b"\x00\xff\x00 no HTTP \r\n\r\n",
    "close_idle": response,
}

# Correct HTTP: the connection stays open.
KEEPING_RESPONSES: dict[str, Callable[[bytes], bytes]] = {
    "chunked": lambda ok: CHUNKS + _chunk(ok) + b"\r\n0\r\n\r\n",
    "html": lambda _ok: response(b"<html><body>Welcome</body></html>"),
    "empty_body": lambda _ok: response(b""),
    "wrong_json_types": lambda _ok: response(b'{"ActionStatus": 1, "ErrorCode": "0"}'),
    "bool_code": lambda _ok: response(b'{"ActionStatus": "OK", "ErrorCode": false}'),
    "fail_with_0": lambda ok: response(_with_status(ok, "FAIL")),
    "odd_action_status": lambda ok: response(_with_status(ok, "DONE")),
    "no_action_status": lambda ok: response(_without_status(ok)),
    "json_list": lambda ok: response(b"[" + ok + b"]"),
    "packed_body": lambda ok: response(gzip.compress(ok), "Content-Encoding: gzip"),
    "status_502": lambda ok: response(ok, status=502),
}


def _with_status(ok: bytes, action_status: str) -> bytes:
    return json.dumps(json.loads(ok) | {"ActionStatus": action_status}).encode()


def _without_status(ok: bytes) -> bytes:
    fields = json.loads(ok)
    head_fields = {"ErrorCode": fields.pop("ErrorCode")}
    del fields["ActionStatus"]
    return json.dumps(head_fields | fields).encode()


# Faults with a verdict in an unusual HTTP form.
UNUSUAL_VERDICTS = frozenset(
    {"no_length_close", "chunked", "no_action_status", "close_idle"}
)


def answer_with_fault(
    connection: socket.socket,
    fault: str,
    target: str,
    stopping: threading.Event,
    ok: bytes,
) -> bool:
    """Cause the fault. Return whether the connection can stay open.

    ``target`` is the requested path, ``ok`` the body of the right answer; ``stopping``
    is set when the sandbox stops. Raises ``OSError`` when the client disconnects.
    """
    name, _, number = fault.partition(":")
    if name in KEEPING_RESPONSES:
        connection.sendall(KEEPING_RESPONSES[name](ok))
        return True
    match name:
        case "redirect":
            connection.sendall(response(b"", f"Location: {target}", status=307))
            return True
        case "status":
            status = int(number)
            # Responses with these statuses have no body.
            body = b"" if status in (204, 304) else ok
            connection.sendall(response(body, status=status))
            return True
        case "ok_with_code":
            fields = {"ActionStatus": "OK"}
            text = protocol.answer(int(number), "contradiction", fields)
            connection.sendall(response(text))
            return True
        case "reset_before" | "reset_after" | "shown_late":
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # A shutdown before close would send FIN instead of RST.
            connection.close()
        case "half_close":
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(LONGEST_SILENCE)
            connection.recv(1)
        case "no_answer" | "silent_before":
            stopping.wait(LONGEST_SILENCE)
        case "stall_in_body":
            connection.sendall(head(_length(ok)) + b"{")
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
            connection.sendall(CLOSING_RESPONSES[name](ok))
    return False


def _drip(connection: socket.socket, content: bytes, stopping: threading.Event) -> None:
    for byte in content:
        if stopping.wait(DRIP_SECONDS):
            return
        connection.sendall(bytes([byte]))
