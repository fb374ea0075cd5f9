"""The canonical text is the same on both databases for any content of the rows."""

import json

import pytest

from notifications.record.canonical_text import canonical_text, rows, rows_of_file
from tests.factories import (
    make_attempt,
    make_delivery,
    make_ended_amendment,
    make_group,
    make_notification,
    make_query,
)

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


# Of a delivery, an attempt and a query.
HOSTILE_COLUMNS = [
    ("group_name", "error_info"),
    ("detail", "error_info"),
    ("response", "detail"),
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

    assert first["format"] == 3
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
        "system_notification",
        "0",
        "0",
        "0",
        "0",
        None,
        None,
        None,
        None,
        "",
        "0",
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
        None,
        None,
        "",
    ]


def test_a_group_message_and_the_queries_about_it():
    notification = make_notification(
        status="completed",
        channel="group_message",
        message_options='{"priority":"Low"}',
    )
    altered = make_delivery(
        notification,
        status="accepted",
        reason="in_history",
        error_code=None,
        random=4_294_967_295,
        msg_seq=418,
        msg_time=1_772_443_800,
        is_altered=True,
    )
    other = make_delivery(notification, status="unconfirmed", random=7)
    make_query(other)
    make_query(altered, verdict="unclear", error_code=10007, detail="not a member")
    make_query(altered, verdict="present", asked_by="lin.mei")

    first, *lines = decoded(notification)

    assert first["notification"]["channel"] == "group_message"
    assert first["notification"]["message_options"] == '{"priority":"Low"}'
    columns = first["delivery"]
    start, end = columns.index("channel") + 1, columns.index("error_code") + 1
    assert lines[0][start:end] == [
        "group_message",
        *["0"] * 4,
        None,
        "4294967295",
        "418",
        "1772443800",
        "",
        "1",
        "accepted",
        "in_history",
    ]
    assert [line[:3] for line in lines[2:]] == [
        ["query", str(altered.pk), "1"],
        ["query", str(altered.pk), "2"],
        ["query", str(other.pk), "1"],
    ]
    assert lines[3] == [
        "query",
        str(altered.pk),
        "2",
        "history",
        "1",
        "lin.mei",
        "2026-03-02 09:32:00Z",
        "2026-03-02 09:32:00.09Z",
        f'[{{"GroupId":"{altered.group_id}","ReqMsgNumber":20}}]',
        '[{"ActionStatus":"OK","ErrorCode":0,"RspMsgList":[]}]',
        "present",
        None,
        "",
    ]
    assert len(lines[3]) == len(first["query"]) + 1
    assert len(lines) == 5


def test_a_recall_names_what_it_takes_back():
    sent = make_notification(status="completed", channel="group_message")
    message = make_delivery(sent, status="accepted", msg_seq=418)
    recall = make_ended_amendment(sent)

    first, line = decoded(recall)

    assert first["notification"]["amends_id"] == sent.pk
    values = dict(zip(first["delivery"], line[1:], strict=True))
    assert values["channel"] == "recall"
    assert (values["amended_delivery"], values["msg_seq"]) == (str(message.pk), "418")


def test_the_text_of_release_0_1_0_has_its_columns_only():
    """Its digests were sealed: the columns of a format never change."""
    notification = make_notification(status="completed")
    delivery = make_delivery(notification, status="accepted")
    make_attempt(delivery)
    make_query(delivery)

    first, *lines = (json.loads(line) for line in canonical_text(notification, 1))

    assert first.keys() == {"format", "notification", "delivery", "attempt"}
    assert [line[0] for line in lines] == ["delivery", "attempt"]
    assert [len(line) for line in lines] == [16, 13]
    assert first["format"] == 1
    assert "channel" not in first["notification"]


@pytest.mark.parametrize("value", HOSTILE)
def test_each_line_is_the_json_that_python_writes(value):
    notification = make_notification(status="completed", content=value)
    delivery = make_delivery(
        notification, status="failed", group_name=value, error_info=value
    )
    make_attempt(delivery, outcome="rejected", detail=value, error_info=value)
    make_query(delivery, response=value, detail=value)

    text = list(canonical_text(notification))

    first, *lines = [json.loads(line) for line in text]
    assert first["notification"]["content"] == value
    for line, columns in zip(lines, HOSTILE_COLUMNS, strict=True):
        names = [line[0], *first[line[0]]]
        assert [line[names.index(column)] for column in columns] == [value] * 2
    assert text[1:] == [
        json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for line in lines
    ]


def test_a_file_gives_the_rows_it_was_made_of():
    notification = make_notification(status="completed")
    delivery = make_delivery(notification, status="accepted")
    make_attempt(delivery)
    make_query(delivery)

    written = list(rows(notification))

    assert list(rows_of_file(line for _number, line in written)) == written


def test_a_pause_ends_the_reading():
    notification = make_notification(status="completed")
    make_delivery(notification, status="accepted")

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list(rows(notification, pause=stop))
