"""The canonical text is the same on both databases for any content of the rows."""

import json

import pytest

from notifications.record.canonical_text import canonical_text, rows, rows_of_file
from tests.factories import make_attempt, make_delivery, make_group, make_notification

pytestmark = pytest.mark.django_db

HOSTILE = [
    '"quoted" \\ and \\\\ \\" \\n',
    "tab\tline\nreturn\r",
    "\x01\x1f\x7f",
    "\u202e bidi \u2066 😀 广场",
    "</script><script>alert(1)</script>",
    "\u2028\u2029\ufeff",
    "$$ %s {0} \\N \\.",
]


def decoded(notification):
    return [json.loads(line) for line in canonical_text(notification)]


def test_a_notification_its_deliveries_and_their_attempts():
    notification = make_notification(status="completed", content="Hi", note="CM-1")
    group = make_group(group_id="@TGS#1", name="Hikers")
    failed = make_delivery(notification, group, status="failed")
    other = make_delivery(notification, status="accepted")
    make_attempt(other)
    make_attempt(failed, outcome="not_sent")
    make_attempt(failed, outcome="rejected")
    make_attempt(make_delivery(status="accepted"))

    first, *lines = decoded(notification)

    assert first["format"] == 1
    assert first["notification"]["content"] == "Hi"
    assert first["notification"]["sent_at"] == "2026-03-02 09:30:00Z"
    assert lines[0] == [
        "delivery",
        str(failed.pk),
        "@TGS#1",
        "Hikers",
        "Public",
        "lin.mei",
        "1",
        "",
        "failed",
        "",
        "10010",
        "group not exist or has been dismissed",
        "1",
        "0",
        "2026-03-02 09:30:00Z",
        "2026-03-02 09:30:01Z",
    ]
    assert len(lines[0]) == len(first["delivery"]) + 1
    assert [line[:3] for line in lines[1:]] == [
        ["delivery", str(other.pk), other.group_id],
        ["attempt", str(failed.pk), "1"],
        ["attempt", str(failed.pk), "2"],
        ["attempt", str(other.pk), "1"],
    ]
    assert lines[2] == [
        "attempt",
        str(failed.pk),
        "1",
        "1",
        "2026-03-02 09:30:00Z",
        "2026-03-02 09:30:00.08Z",
        "not_sent",
        "refused",
        "",
        None,
        "",
        None,
        "",
    ]


@pytest.mark.parametrize("value", HOSTILE)
def test_each_line_is_the_json_that_python_writes(value):
    notification = make_notification(status="completed", content=value)
    delivery = make_delivery(
        notification, status="failed", group_name=value, error_info=value
    )
    make_attempt(delivery, outcome="rejected", detail=value, error_info=value)

    text = list(canonical_text(notification))

    first, *lines = [json.loads(line) for line in text]
    assert first["notification"]["content"] == value
    assert lines[0][3] == lines[0][11] == value
    assert lines[1][8] == lines[1][12] == value
    assert text[1:] == [
        json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for line in lines
    ]


def test_a_file_gives_the_rows_it_was_made_of():
    notification = make_notification(status="completed")
    make_attempt(make_delivery(notification, status="accepted"))

    written = list(rows(notification))

    assert list(rows_of_file(line for _number, line in written)) == written


def test_a_pause_ends_the_reading():
    notification = make_notification(status="completed")
    make_delivery(notification, status="accepted")

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list(rows(notification, pause=stop))
