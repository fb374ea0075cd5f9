"""Log formatters: fields, and escaping of forged lines."""

import json
import logging
import sys

import pytest

from notifications.logs import JsonFormatter, PlainFormatter, log_context

pytestmark = pytest.mark.one_database

HOSTILE = "/x\n2026-01-01T00:00:00.000Z ERROR admin: gone\r\x1b[2J\u2028\x85"


def record(message: str = "Hello", *args: object, **fields: object):
    made = logging.LogRecord("part", logging.INFO, "", 0, message, args, None)
    made.created = 1772443800.0
    vars(made).update(fields)
    return made


def failed(text: str):
    made = record("It failed.")
    try:
        int(text)
    except ValueError as error:
        error.args = (text,)
        made.exc_info = sys.exc_info()
    return made


def test_a_plain_line_names_what_it_is_about():
    with log_context(worker=lambda: 3), log_context(request_id=lambda: "abc"):
        line = PlainFormatter().format(record("%d gone", 2, delivery=7, path="/x"))

    assert line == (
        "2026-03-02T09:30:00.000Z INFO part: 2 gone request_id=abc worker=3 delivery=7"
    )
    assert (
        PlainFormatter().format(record()) == "2026-03-02T09:30:00.000Z INFO part: Hello"
    )


def test_a_json_line_has_fields_and_nothing_that_is_not_listed():
    # Django adds the request, with its query, to the records of its errors.
    with log_context(worker=lambda: 3):
        line = JsonFormatter().format(
            record("%d gone", 2, delivery=7, worker=4, request="GET /?q=secret")
        )

    assert json.loads(line) == {
        "time": "2026-03-02T09:30:00.000Z",
        "level": "INFO",
        "logger": "part",
        "message": "2 gone",
        "worker": 4,
        "delivery": 7,
    }


@pytest.mark.parametrize("lines", [PlainFormatter(), JsonFormatter()])
def test_nobody_forges_a_line(lines):
    line = lines.format(record("GET %s", HOSTILE, path=HOSTILE))

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "\\n2026-01-01T00:00:00.000Z ERROR" in line


def test_a_traceback_is_indented_or_a_field():
    plain = PlainFormatter().format(failed(HOSTILE)).splitlines()
    fields = json.loads(JsonFormatter().format(failed(HOSTILE)))

    assert plain[0] == "2026-03-02T09:30:00.000Z INFO part: It failed."
    assert all(line.startswith("    ") for line in plain[1:])
    assert "    Traceback (most recent call last):" in plain
    assert fields["message"] == "It failed."
    assert fields["exception"].startswith("Traceback (most recent call last):\n")
    assert HOSTILE in fields["exception"]
