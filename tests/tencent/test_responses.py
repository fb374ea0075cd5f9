"""What counts as a verdict of Tencent."""

import json

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
        b'{"ActionStatus":"FAIL","ActionStatus":"OK","ErrorCode":0}',
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


CONTRADICTION = (OutcomeKind.UNCONFIRMED, Reason.CONTRADICTION)
BAD = (OutcomeKind.UNCONFIRMED, Reason.BAD_ANSWER)
ACCEPTED, REJECTED = (OutcomeKind.ACCEPTED, None), (OutcomeKind.REJECTED, None)
MISSING = object()
# ActionStatus: the outcome with ErrorCode 0, and with another one.
ACTION_STATUS = [
    ("OK", ACCEPTED, CONTRADICTION),
    ("FAIL", CONTRADICTION, REJECTED),
    ("ok", ACCEPTED, CONTRADICTION),
    ("Fail", CONTRADICTION, REJECTED),
    *((nothing, ACCEPTED, REJECTED) for nothing in (MISSING, None, "")),
    *(
        (odd, BAD, BAD)
        for odd in ("DONE", "OK ", "成功", 0, 1, True, False, [], ["OK"], {}, "\ud800")
    ),
]


@pytest.mark.parametrize("code", [0, 1, -1, 10002, 10010, 60011, 70009, 2**31 - 1])
@pytest.mark.parametrize(("action_status", "with_0", "with_code"), ACTION_STATUS)
def test_action_status_and_code_agree(action_status, with_0, with_code, code):
    fields = {"ErrorCode": code, "ErrorInfo": "something went wrong"}
    if action_status is not MISSING:
        fields["ActionStatus"] = action_status

    outcome, parsed = parse_response(200, json.dumps(fields).encode())

    expected = with_code if code else with_0
    assert (outcome.kind, outcome.reason) == expected
    assert bool(parsed) == (expected in (ACCEPTED, REJECTED))
    if expected != BAD:  # verbatim
        status = "" if action_status in (MISSING, None) else action_status
        assert outcome.action_status == status
        assert outcome.error_info == "something went wrong"
    if expected == CONTRADICTION:
        assert outcome.error_code is None
        assert outcome.detail == (
            f"The answer holds ActionStatus {action_status} and ErrorCode {code}."
        )


@pytest.mark.parametrize("status", [204, 301, 307, 400, 404, 500, 502])
def test_another_status_is_no_verdict_whatever_the_body_says(status):
    answer, _fields = parse_response(status, b'{"ErrorCode":0}')

    assert (answer.kind, answer.reason) == (OutcomeKind.UNCONFIRMED, Reason.HTTP_STATUS)
    assert answer.http_status == status
