"""Log formatters: one line for each record, as text or as JSON.

The context of a record (a request, a worker) comes from ``with log_context(...)`` or from
``extra=``. Fields that are not listed here are excluded: some records of Django contain
the whole request, with user input.

Log lines cannot be forged: the text format escapes line ends as ``\\n``, and indents the
lines of a traceback.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

# Context fields, in the order of output.
CONTEXT_FIELDS = ("request_id", "person", "worker", "notification", "delivery")

# Fields of the request log; its message contains the same values.
REQUEST_FIELDS = ("method", "path", "status", "ms")

INDENT = "    "


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


# A function, called for each record: the number of a worker may change.
ContextValue = Callable[[], object]

_context: ContextVar[dict[str, ContextValue] | None] = ContextVar(
    "log_context", default=None
)


@contextmanager
def log_context(**values: ContextValue) -> Iterator[None]:
    """Add fields of ``CONTEXT_FIELDS`` to the log records of the block, in this thread."""
    token = _context.set((_context.get() or {}) | values)
    try:
        yield
    finally:
        _context.reset(token)


class PlainFormatter(logging.Formatter):
    """``2026-03-02T09:30:00.000Z INFO part: message worker=3``."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record, CONTEXT_FIELDS)
        context = "".join(f" {name}={value}" for name, value in fields.items())
        message = f"{record.name}: {record.getMessage()}{context}"
        lines = [f"{_timestamp(record)} {record.levelname} {_escaped(message)}"]
        if record.exc_info:
            traceback = self.formatException(record.exc_info).split("\n")
            lines += [INDENT + _escaped(line) for line in traceback]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """One JSON object per line; the field ``exception`` contains a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _timestamp(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _fields(record, (*CONTEXT_FIELDS, *REQUEST_FIELDS))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord, names: tuple[str, ...]) -> dict[str, object]:
    context = {name: value() for name, value in (_context.get() or {}).items()}
    fields = context | vars(record)
    return {name: fields[name] for name in names if name in fields}


def _timestamp(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
