"""What counts as a verdict of Tencent."""

import pytest

from notifications.tencent.outcomes import OutcomeKind, Reason
from notifications.tencent.responses import parse_response

pytestmark = pytest.mark.one_database


def test_accepted():
    answer, _fields = parse_response(
        200, b'{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}'
    )

    assert (answer.kind, answer.error_code) == (OutcomeKind.ACCEPTED, 0)
    assert (answer.http_status, answer.action_status) == (200, "OK")


def test_rejected_is_kept_verbatim():
    body = '{"ActionStatus":"FAIL","ErrorInfo":" 群\\n<b>","ErrorCode":10010}'

    answer, _fields = parse_response(200, body.encode())

    assert (answer.kind, answer.error_code) == (OutcomeKind.REJECTED, 10010)
    assert (answer.action_status, answer.error_info) == ("FAIL", " 群\n<b>")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ('"a\\u0000b"', "a\ufffdb"),  # PostgreSQL stores no NUL
        ('"a\\ud800b"', "a?b"),  # UTF-8 has no lone surrogate
        ('{"a": 1}', '{"a": 1}'),
        ("null", "null"),
    ],
)
def test_texts_that_no_database_stores_are_made_visible(value, stored):
    body = f'{{"ErrorInfo":{value},"ErrorCode":10010}}'

    assert parse_response(200, body.encode())[0].error_info == stored


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html></html>",
        b"[]",
        b"0",
        b"null",
        b"{}",
        b'{"ErrorCode":"0"}',
        b'{"ErrorCode":0.0}',
        b'{"ErrorCode":true}',
        b'{"ErrorCode":false}',
        b'{"ErrorCode":null}',
        b'{"ErrorCode":[0]}',
        b'{"ErrorCode":2147483648}',
        b'{"ErrorCode":-2147483649}',
        b'{"ErrorCode":10010,"ErrorCode":0}',
        b'{"errorcode":0}',
        b'{"ErrorCode":0',
        b'\xff{"ErrorCode":0}',
        b"[" * 100_000,
    ],
)
def test_anything_else_is_no_verdict(body):
    answer, _fields = parse_response(200, body)

    assert (answer.kind, answer.reason) == (OutcomeKind.UNCONFIRMED, Reason.BAD_ANSWER)
    assert answer.error_code is None


@pytest.mark.parametrize("status", [204, 301, 307, 400, 404, 500, 502])
def test_another_status_is_no_verdict_whatever_the_body_says(status):
    answer, _fields = parse_response(status, b'{"ErrorCode":0}')

    assert (answer.kind, answer.reason) == (OutcomeKind.UNCONFIRMED, Reason.HTTP_STATUS)
    assert answer.http_status == status
