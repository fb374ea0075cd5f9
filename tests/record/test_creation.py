"""Rows that were inserted by SQL, with guards on, are neither sealed nor unnoticed."""

import logging

import pytest

from notifications import permissions
from notifications.audit_log import EVENTS
from notifications.compose.services.resend import preview, send_again
from notifications.delivery.resendable import ResendKind
from notifications.models import AuditEntry, Notification, Seal
from notifications.record import sealing
from notifications.record.creation import log_once
from notifications.record.verification import verify
from tests.factories import (
    make_attempt,
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_sent_entry,
    make_user,
)
from tests.management.running import run
from tests.record.tampering import sql

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_logged():
    log_once.cache_clear()


def fabricated(**values: object) -> Notification:
    """A finished notification with a delivery and its attempt, and no audit entry."""
    row = make_notification(status="completed", **values)
    make_attempt(make_delivery(row, status="accepted"))
    return row


def differences() -> list[str]:
    return verify().differences


def test_a_notification_without_an_entry_of_its_sending_is_not_sealed(caplog):
    genuine = fabricated()
    make_sent_entry(genuine)
    row = fabricated()
    problem = f"notification {row.pk} was added: no audit entry says who sent it."

    with caplog.at_level(logging.ERROR):
        assert (sealing.seal_ended(), sealing.seal_ended()) == (1, 0)

    assert Seal.objects.get().notification == genuine
    (message,) = [record.getMessage() for record in caplog.records]
    assert problem in message
    assert differences() == [problem]


def test_it_is_named_after_a_seal_was_forged():
    """The chain has no secret: the seal of an inserted notification can be valid."""
    row = fabricated()

    sealing.seal_notification(row)

    assert differences() == [
        f"notification {row.pk} was added: no audit entry says who sent it."
    ]


def test_a_delivery_that_was_added_before_sealing():
    row = fabricated()
    make_sent_entry(row)
    entry = AuditEntry.objects.latest("pk")
    make_delivery(row, status="accepted")

    assert sealing.seal_ended() == 0
    assert differences() == [
        f"notification {row.pk} has 2 deliveries, but audit entry {entry.pk} of its "
        "sending says that 1 were created."
    ]
    sealing.seal_notification(row)
    assert len(differences()) == 1


def test_only_the_notification_that_is_verified_is_named():
    row = fabricated()
    other = fabricated()
    make_seal(other)

    assert verify(notification=other.pk).differences == []
    assert len(verify(notification=row.pk).differences) == 1


@pytest.mark.parametrize(("members", "count"), [(0, 2), (120, 6)])
def test_sending_and_sending_again_write_the_number_of_deliveries(members, count):
    user = make_user(permissions.COMMUNITY_MANAGER)
    groups = [
        option for _n in range(2) for option in ("--group", make_group().group_id)
    ]
    recipients = [option for n in range(members) for option in ("--recipient", f"m{n}")]
    code, _out, err = run(
        "send_notification",
        "--as",
        user.username,
        "--content",
        "Hi",
        *groups,
        *recipients,
    )
    assert (code, err) == (0, "")
    sent = Notification.objects.get()
    sql(
        "UPDATE notifications_delivery SET status = 'failed', error_code = 60011, "
        "attempt_count = 1, finished_at = created_at"
    )
    sent.complete()

    kind = ResendKind.FAILED
    again = send_again(user, sent.pk, kind, digest=preview(sent, kind).digest)

    for notification in (sent, again):
        entry = AuditEntry.objects.get(
            notification_number=notification.pk,
            action__in=AuditEntry.CREATING_DELIVERIES,
        )
        assert entry.detail["deliveries"] == notification.deliveries.count() == count
    assert sealing.seal_ended() == 1


def test_the_actions_are_events():
    assert set(AuditEntry.CREATING_DELIVERIES) < set(EVENTS)
