"""Values that read like the sealed ones, but are stored in another type."""

import pytest
from django.db import connection
from django.db.models import Model

from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    Notification,
    Seal,
    Tally,
)
from notifications.record import sealing
from notifications.record.guards import install as guards_install
from notifications.record.stored_types import wrong_types_of_chain
from notifications.record.verification import verify
from tests.factories import (
    make_archive,
    make_attempt,
    make_delivery,
    make_notification,
    make_query,
    make_seal,
    make_sent_entry,
)
from tests.record.tampering import sql

pytestmark = pytest.mark.django_db

IS_SQLITE = connection.vendor == "sqlite"

# Model, name in the sentence, column and its new value as SQL.
EDITS = [
    (Notification, "notification", "content", "CAST(content AS blob)"),
    (Notification, "notification", "created_at", "CAST(created_at AS blob)"),
    (Notification, "notification", "token", "CAST(token AS blob)"),
    (Notification, "notification", "sender_name", "CAST(sender_name AS blob)"),
    (Delivery, "delivery", "error_code", "CAST(error_code AS blob)"),
    (Delivery, "delivery", "group_name", "CAST(group_name AS blob)"),
    (Delivery, "delivery", "finished_at", "CAST(finished_at AS blob)"),
    (Attempt, "attempt", "worker", "CAST(worker AS blob)"),
    (Attempt, "attempt", "error_info", "CAST(error_info AS blob)"),
    (DeliveryQuery, "query", "worker", "CAST(worker AS blob)"),
    (DeliveryQuery, "query", "response", "CAST(response AS blob)"),
    (DeliveryQuery, "query", "finished_at", "finished_at || '+00:00'"),
    (Delivery, "delivery", "msg_seq", "CAST('418' AS blob)"),
    (Delivery, "delivery", "drop_reason", "CAST('busy' AS blob)"),
    (AuditEntry, "audit entry", "actor", "CAST(actor AS blob)"),
    (AuditEntry, "audit entry", "at", "CAST(at AS blob)"),
    (AuditEntry, "audit entry", "at", "'2026-13-32 25:00:00'"),
    (AuditEntry, "audit entry", "at", "replace(at, ' ', 'T')"),
    (Notification, "notification", "sent_at", "sent_at || '+00:00'"),
    (Notification, "notification", "sent_at", "sent_at || '.000000'"),
    (Notification, "notification", "sent_at", "'2026-03-02 17:30:00+08:00'"),
    (Notification, "notification", "sent_at", "'2026-02-30 09:30:00'"),
    (Notification, "notification", "sent_at", "'0000-03-02 09:30:00'"),
    (Notification, "notification", "sent_at", "sent_at || char(0)"),
    (Notification, "notification", "by_superuser", "2"),
    (Delivery, "delivery", "finished_at", "finished_at || 'Z'"),
    (Attempt, "attempt", "finished_at", "finished_at || '+00:00'"),
    (Tally, "tally", "created_at", "created_at || '+00:00'"),
    (Archive, "archive", "archived_at", "archived_at || '+00:00'"),
    (Seal, "seal", "sealed_at", "sealed_at || '+00:00'"),
    (AuditEntry, "audit entry", "request_number", "'no number'"),
    (AuditEntry, "audit entry", "detail", """'{"groups": 1, "groups": 1}'"""),
    (
        AuditEntry,
        "audit entry",
        "detail",
        """'{"deliveries": 1, "a": [{"b": 1, "b": 2}]}'""",
    ),
    (Seal, "seal", "digest", "CAST(digest AS blob)"),
    (Seal, "seal", "sealed_at", "'yesterday'"),
    (Seal, "seal", "leaves", "'text'"),
    (Tally, "tally", "count", "CAST(count AS blob)"),
    (Archive, "archive", "file_digest", "CAST(file_digest AS blob)"),
    (Archive, "archive", "by_group", """'{"parts": 1, "parts": 1}'"""),
]


@pytest.fixture
def _sealed():
    notification = make_notification(status="completed", channel="group_message")
    delivery = make_delivery(notification, status="failed")
    make_attempt(delivery, outcome="rejected")
    make_query(delivery)
    make_seal(notification)
    make_archive(notification)
    sealing.seal_due()


@pytest.mark.usefixtures("_sealed")
@pytest.mark.parametrize(("model", "noun", "column", "value"), EDITS)
def test_a_value_of_another_type_is_named(model: type[Model], noun, column, value):
    """PostgreSQL cannot store one; the guards are lifted as an attacker would."""
    if not IS_SQLITE:
        assert not any(wrong_types_of_chain().values())
        return
    row = model.objects.latest("pk")
    with guards_install.guards_disabled():
        sql(
            f'UPDATE "{model._meta.db_table}" SET "{column}" = {value} WHERE id = %s',  # noqa: S608  names of the model
            [row.pk],
        )

    differences = verify().differences
    assert f"{noun} {row.pk}: the value of {column} has a wrong type." in differences


def test_a_notification_with_such_a_value_is_not_sealed():
    """Its text cannot be built, which must not keep others from being sealed."""
    first, second = (make_notification(status="completed") for _n in range(2))
    for notification in (first, second):
        make_delivery(notification, status="failed")
        make_sent_entry(notification)
    if IS_SQLITE:
        with guards_install.guards_disabled():
            sql(
                "UPDATE notifications_delivery SET error_info = x'30' "
                "WHERE notification_id = %s",
                [first.pk],
            )
            sql(
                "UPDATE notifications_notification SET created_at = x'30' WHERE id = %s",
                [first.pk],
            )

    assert sealing.seal_ended() == (1 if IS_SQLITE else 2)
    assert Seal.objects.filter(notification=second).exists()
    assert len(verify().differences) == (2 if IS_SQLITE else 0)
