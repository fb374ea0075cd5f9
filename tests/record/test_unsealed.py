"""Rows that no seal covers: inserted, removed or orphaned by SQL."""

from datetime import timedelta

import pytest
from django.db import transaction

from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    Notification,
    Seal,
    Tally,
)
from notifications.record.guards.install import guards_disabled
from notifications.record.result_counts import count_results
from notifications.record.verification import verify
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_notification,
    make_seal,
    make_sent_entry,
    make_user,
)
from tests.record.tampering import delete, edit

pytestmark = pytest.mark.django_db


def differences(notification: int | None = None) -> list[str]:
    return verify(notification=notification).differences


# --- notifications and deliveries -------------------------------------------------

FABRICATED = [
    {"status": "paused"},
    {"status": "sending"},
    {"status": "scheduled", "scheduled_for": MOMENT + timedelta(days=1)},
    {"status": "completed"},
    {"status": "cancelled", "stop_reason": "person"},
]


@pytest.mark.parametrize("values", FABRICATED, ids=lambda values: values["status"])
def test_a_notification_without_an_entry_of_its_sending(values):
    """Also with a waiting delivery, with which it is never sealed."""
    row = make_notification(**values)
    make_delivery(row)
    other = make_notification(**values)
    make_sent_entry(other)
    sentence = f"notification {row.pk} was added: no audit entry says who sent it."

    assert sentence in differences()
    assert sentence in differences(row.pk)
    assert differences(other.pk) == []


@pytest.mark.parametrize("status", ["paused", "sending"])
def test_a_delivery_that_was_added_or_removed_while_it_is_sent(status):
    row = make_notification(status=status)
    make_delivery(row, status="accepted")
    delivery = make_delivery(row)
    make_sent_entry(row)
    entry = AuditEntry.objects.latest("pk")
    assert differences() == []
    expected = (
        f"notification {row.pk} has {{}} deliveries, but audit entry {entry.pk} of its "
        "sending says that 2 were created."
    )

    added = make_delivery(row)
    assert differences() == [expected.format(3)]
    with guards_disabled():
        delete(added)
        delete(delivery)
    assert differences() == [expected.format(1)]


def test_a_finished_notification_with_a_waiting_delivery():
    row = make_notification(status="completed")
    delivery = make_delivery(row)
    make_sent_entry(row)

    assert differences() == [
        f"notification {row.pk} is finished, but delivery {delivery.pk} is not."
    ]


def test_a_stopped_notification_with_calls_in_progress():
    row = make_notification(status="cancelled", stop_reason="person")
    make_delivery(row, status="sending")
    make_sent_entry(row)

    assert differences() == []


@pytest.mark.parametrize("action", AuditEntry.CREATING_DELIVERIES)
def test_a_notification_that_was_removed_before_it_was_sealed(action):
    row = make_notification(status="sending")
    entry = AuditEntry.objects.create(
        action=action, actor="lin.mei", notification_number=row.pk
    )
    with guards_disabled():
        delete(row)

    sentence = f"notification {row.pk} is missing: audit entry {entry.pk} says that it was sent."
    assert differences() == [sentence]
    assert differences(row.pk) == [sentence]
    assert differences(row.pk + 1) == []


def test_a_sealed_notification_that_was_removed_is_named_once():
    row = make_notification(status="completed")
    make_seal(row)
    with transaction.atomic():
        with guards_disabled():
            delete(row)
        assert [text for text in differences() if "is missing" in text] == [
            f"notification {row.pk} is missing."
        ]
        transaction.set_rollback(True)


COPIES = [{"content": "Other"}, {"note": "CM-1"}, {"written_by_name": "chen.jie"}]


@pytest.mark.parametrize("values", COPIES, ids="".join)
def test_a_resend_that_differs_from_the_first(values):
    first = make_notification(status="completed", recipients="amy\nli")
    make_seal(first)
    resend = make_notification(status="sending", resend_of=first, recipients="amy")
    make_sent_entry(resend)
    assert differences() == []

    with guards_disabled():
        edit(resend, **values)

    assert differences() == [
        f"notification {resend.pk} differs from notification {first.pk}."
    ]


def test_a_resend_with_another_writer():
    first = make_notification(status="completed")
    make_seal(first)
    writer = make_user(username="chen.jie")
    resend = make_notification(status="sending", resend_of=first, written_by=writer)
    make_sent_entry(resend)

    assert differences() == [
        f"notification {resend.pk} differs from notification {first.pk}."
    ]


# --- result counts ----------------------------------------------------------------


@pytest.mark.parametrize("status", ["sending", "completed"])
def test_result_counts_without_a_seal(status):
    """The overview would count deliveries that are not there."""
    row = make_notification(status=status)
    make_delivery(row, status="accepted")
    make_sent_entry(row)
    (tally,) = count_results([row.pk])
    tally.count = 1000
    tally.save()

    sentence = (
        f"tally {tally.pk} was added to notification {row.pk}, which is not sealed."
    )
    assert differences() == [sentence]
    assert differences(row.pk) == [sentence]
    assert differences(row.pk + 1) == []


# --- references -------------------------------------------------------------------

REFERENCES = [
    (Notification, "notification", "sender_id", "user"),
    (Notification, "notification", "written_by_id", "user"),
    (Notification, "notification", "controlled_by_id", "user"),
    (Notification, "notification", "resend_of_id", "notification"),
    (Delivery, "delivery", "notification_id", "notification"),
    (Attempt, "attempt", "delivery_id", "delivery"),
    (Tally, "tally", "notification_id", "notification"),
    (Seal, "seal", "notification_id", "notification"),
    (Archive, "archive", "notification_id", "notification"),
]


@pytest.mark.parametrize(
    ("model", "noun", "column", "parent"),
    REFERENCES,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_reference_to_a_row_that_does_not_exist(model, noun, column, parent):
    """As after an edit while the database does not check foreign keys."""
    notification = make_notification(status="completed")
    delivery = make_delivery(notification, status="accepted")
    for _n in range(2):
        make_attempt(delivery)
    make_seal(notification)
    Archive.objects.create(
        notification=notification,
        file_name="a",
        file_digest="0" * 64,
        deliveries=1,
        attempts=1,
    )
    row = model.objects.order_by("pk").first()

    # Foreign keys are checked at the end of the transaction.
    with transaction.atomic():
        with guards_disabled():
            edit(row, **{column: 999})
        assert (
            f"{noun} {row.pk} refers to {parent} 999, which does not exist."
            in differences()
        )
        transaction.set_rollback(True)


def test_only_the_first_row_of_each_parent_is_named():
    notification = make_notification(status="sending")
    first, *_others = [make_delivery(notification) for _n in range(3)]

    with transaction.atomic():
        with guards_disabled():
            delete(notification)
        assert differences() == [
            f"delivery {first.pk} refers to notification {notification.pk}, which does "
            "not exist."
        ]
        transaction.set_rollback(True)
