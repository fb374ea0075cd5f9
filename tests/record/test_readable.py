"""Values that cannot be read are named; the rest is verified."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.models import Model

from notifications import audit_log
from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    DraftVersion,
    Notification,
    Seal,
    Tally,
)
from notifications.record import readable, sealing
from notifications.record.guards.install import guards_disabled
from notifications.record.readable import unreadable_values
from notifications.record.verification import verify
from tests.factories import (
    make_archive,
    make_attempt,
    make_delivery,
    make_notification,
    make_query,
    make_saved_draft,
    make_seal,
    make_sent_entry,
)
from tests.record.tampering import edit, sql

pytestmark = pytest.mark.django_db

IS_SQLITE = connection.vendor == "sqlite"

# Values as SQL: accepted by the database, but not by Python.
TEXT = "CAST(x'41ff42' AS text)"
JSON = [
    """'["\\ud800"]'""" if IS_SQLITE else f"'[{'1' * 5000}]'",
    f"'[{'1' * 5000}]'",
    f"'{'[' * 1500}{']' * 1500}'",
]
TIMES = ["'infinity'", "'-infinity'", "'0044-03-15 12:00:00 BC'", "'20000-01-01'"]

EDITS: list[tuple[type[Model], str, str, str]] = (
    [
        (Notification, "notification", "content", TEXT),
        (Delivery, "delivery", "group_name", TEXT),
        (Attempt, "attempt", "error_info", TEXT),
        (DeliveryQuery, "query", "response", TEXT),
        (AuditEntry, "audit entry", "actor", TEXT),
        (AuditEntry, "audit entry", "actor_name", TEXT),
        (Seal, "seal", "digest", TEXT),
        (Tally, "tally", "sender_name", TEXT),
        (Archive, "archive", "file_name", TEXT),
        (DraftVersion, "version of a draft", "content", TEXT),
    ]
    if IS_SQLITE
    else [
        (model, noun, column, value)
        for value in TIMES
        for model, noun, column in [
            (Notification, "notification", "created_at"),
            (AuditEntry, "audit entry", "at"),
            (Seal, "seal", "sealed_at"),
            (Tally, "tally", "created_at"),
            (Archive, "archive", "archived_at"),
            (DraftVersion, "version of a draft", "saved_at"),
        ]
    ]
)
EDITS += [
    (model, noun, column, value)
    for value in JSON
    for model, noun, column in [
        (Notification, "notification", "audience_values"),
        (AuditEntry, "audit entry", "detail"),
        (Archive, "archive", "by_group"),
        (DraftVersion, "version of a draft", "audience_values"),
    ]
]


def spoil(row: Model, column: str, value: str) -> None:
    with guards_disabled():
        sql(
            f'UPDATE "{row._meta.db_table}" SET "{column}" = {value} WHERE id = %s',  # noqa: S608  names of the models
            [row.pk],
        )


def is_named(noun: str, number: int, column: str, text: str) -> bool:
    """SQLite tells some of them apart by their type."""
    start = f"{noun} {number}: the value of {column}"
    return f"{start} cannot be read." in text or f"{start} has a wrong type." in text


@pytest.fixture
def other() -> Delivery:
    """A delivery that was edited after the rows that are spoiled, in the last seal."""
    notification = make_notification(status="completed")
    delivery = make_delivery(notification, status="failed")
    make_attempt(delivery, outcome="rejected")
    make_query(delivery)
    make_seal(notification)
    archived = make_notification(status="completed")
    make_seal(archived)
    make_archive(archived)
    make_saved_draft()
    sealing.seal_due()
    later = make_notification(status="completed")
    other = make_delivery(later, status="accepted")
    make_seal(later)
    with guards_disabled():
        edit(other, error_info="edited")
    return other


@pytest.mark.parametrize(
    ("model", "noun", "column", "value"),
    EDITS,
    ids=[f"{noun}-{column}-{value[:12]}" for _m, noun, column, value in EDITS],
)
def test_the_row_is_named_and_the_rest_is_verified(other, model, noun, column, value):
    row = model.objects.order_by("pk").first()
    spoil(row, column, value)

    with pytest.raises(CommandError) as raised:
        call_command("verify_history")

    assert raised.value.returncode == 1
    text = str(raised.value)
    assert is_named(noun, row.pk, column, text)
    assert (
        f"delivery {other.pk} of notification {other.notification_id} was changed."
        in text
    )


@pytest.mark.parametrize(
    ("model", "noun", "column"),
    [
        (Notification, "notification", "created_at"),
        (Delivery, "delivery", "created_at"),
        (Attempt, "attempt", "finished_at"),
        (DeliveryQuery, "query", "finished_at"),
    ],
)
@pytest.mark.parametrize("status", ["sending", "paused", "completed"])
def test_rows_that_are_not_sealed(model, noun, column, status):
    notification = make_notification(status=status)
    delivery = make_delivery(notification, status="accepted")
    make_attempt(delivery)
    make_query(delivery)
    make_sent_entry(notification)
    row = model.objects.get()
    spoil(row, column, "CAST(x'ff' AS text)" if IS_SQLITE else "'infinity'")

    assert is_named(noun, row.pk, column, "\n".join(verify().differences))


def test_the_entry_of_its_sending():
    notification = make_notification(status="sending")
    make_sent_entry(notification)
    entry = AuditEntry.objects.get()
    spoil(entry, "detail", JSON[0])

    assert is_named("audit entry", entry.pk, "detail", "\n".join(verify().differences))


def test_a_column_is_named_once(other):
    entry = AuditEntry.objects.filter(action=DraftVersion.SAVED).get()
    spoil(entry, "detail", JSON[1])

    sentence = f"audit entry {entry.pk}: the value of detail cannot be read."
    assert verify().differences.count(sentence) == 1


def test_many_rows_are_read_in_blocks(monkeypatch):
    monkeypatch.setattr(readable, "BLOCK", 2)
    for number in range(5):
        AuditEntry.objects.create(action="sent", actor=f"person {number}")
    rows = list(AuditEntry.objects.order_by("pk"))
    for row in rows[1:4:2]:
        spoil(row, "detail", JSON[1])

    assert list(unreadable_values(AuditEntry.objects.order_by("pk"))) == [
        f"audit entry {row.pk}: the value of detail cannot be read."
        for row in rows[1:4:2]
    ]


def test_an_error_of_the_database_is_none_of_a_value(monkeypatch):
    """Otherwise an outage would be reported as a change."""
    make_sent_entry(make_notification(status="sending"))

    def fail(_row: Model) -> None:
        raise DatabaseError("the connection is closed")

    monkeypatch.setattr(readable, "_checked", fail)

    with pytest.raises(DatabaseError, match="the connection is closed"):
        list(unreadable_values(AuditEntry.objects.all()))
    with pytest.raises(CommandError) as raised:
        call_command("verify_history")
    assert raised.value.returncode == 2


def test_a_value_with_every_character_is_read():
    audit_log.write(
        audit_log.EVENTS["paused"], "lin.mei", note="\x00\x7f\ud7ff\ue000😀"[1:]
    )

    assert verify().differences == []
