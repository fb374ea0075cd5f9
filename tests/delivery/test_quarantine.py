"""After a restore: open rows become unconfirmed, and workers may start again."""

import pytest
from django.core.management import call_command

from notifications.delivery.restore_guard import quarantine_restored
from notifications.models import AuditEntry, Installation
from tests.factories import make_delivery, make_notification

pytestmark = pytest.mark.django_db


def test_what_was_open_is_paused_and_not_confirmed():
    running = make_notification(status="sending")
    rows = [
        make_delivery(running),
        make_delivery(running, status="sending"),
        make_delivery(running, status="accepted"),
    ]
    scheduled = make_notification(
        status="scheduled", scheduled_for="2030-01-01T00:00:00Z"
    )
    rows.append(make_delivery(scheduled))
    paused = make_notification(status="paused")
    done = make_notification(status="completed")
    rows.append(make_delivery(done, status="failed"))

    assert quarantine_restored("operator") == (3, 3)

    for row in rows:
        row.refresh_from_db()
    assert [(row.status, row.reason) for row in rows] == [
        ("unconfirmed", "restored"),
        ("unconfirmed", "restored"),
        ("accepted", ""),
        ("unconfirmed", "restored"),
        ("failed", ""),
    ]
    for notification in (running, scheduled, paused, done):
        notification.refresh_from_db()
    assert [n.paused_reason for n in (running, scheduled, paused, done)] == [
        "restored",
        "restored",
        "person",
        "",
    ]
    assert set(AuditEntry.objects.values_list("action", "actor")) == {
        ("quarantined", "operator")
    }


def test_workers_forget_what_they_knew_of_the_newer_database():
    key = Installation.present().key

    quarantine_restored("operator")

    assert Installation.present().key != key


def test_the_command(capsys):
    make_delivery()

    call_command("quarantine_restored")

    assert capsys.readouterr().out == "paused=1 unconfirmed=1\n"
