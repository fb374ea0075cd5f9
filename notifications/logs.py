"""Log lines: one line for each thing that happened, as text or as JSON.

What a line is about (a request, a worker) is named once by whoever begins, ``with
about(...)``, or by the line itself with ``extra=``. Fields that are not listed here are
left out: Django hands its whole request to some lines, with what people typed in it.

Nobody can forge a line: in text, signs that end a line are written as ``\\n``, and the
lines of a traceback are indented.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

# What a line may be about, in the order in which it is written.
ABOUT = ("request_id", "person", "worker", "notification", "delivery")

# Of a request that was answered; its message says the same.
ANSWERED = ("method", "path", "status", "ms")

INDENT = "    "


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


# A function is asked with each line: a worker may get another number meanwhile.
Known = Callable[[], object]

_about: ContextVar[dict[str, Known] | None] = ContextVar("about", default=None)


@contextmanager
def log_context(**known: Known) -> Iterator[None]:
    """Lines that are written inside, in this thread, name ``known`` of ``ABOUT``."""
    token = _about.set((_about.get() or {}) | known)
    try:
        yield
    finally:
        _about.reset(token)


class PlainLines(logging.Formatter):
    """``2026-03-02T09:30:00.000Z INFO part: message worker=3``."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record, ABOUT)
        told = "".join(f" {name}={value}" for name, value in fields.items())
        message = f"{record.name}: {record.getMessage()}{told}"
        lines = [f"{_moment(record)} {record.levelname} {_escaped(message)}"]
        if record.exc_info:
            traceback = self.formatException(record.exc_info).split("\n")
            lines += [INDENT + _escaped(line) for line in traceback]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """One JSON object a line; a traceback is one of its fields, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _fields(record, (*ABOUT, *ANSWERED))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord, names: tuple[str, ...]) -> dict[str, object]:
    known = {name: value() for name, value in (_about.get() or {}).items()}
    own = {name: vars(record)[name] for name in names if name in vars(record)}
    found = known | own
    return {name: found[name] for name in names if name in found}


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)
