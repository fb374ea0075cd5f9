"""Detection of a restored database, and the quarantine."""

import pytest
from django.core.management import call_command

from notifications.delivery.restore_guard import (
    DatabaseIsOlder,
    RestoreGuard,
    quarantine_restored,
)
from notifications.models import AuditEntry, Installation
from tests.factories import make_delivery, make_notification


def test_a_fresh_database_is_never_refused(tmp_path):
    guard = RestoreGuard(tmp_path, "new")

    guard.check("p", 0)


def test_an_older_database_is_refused(tmp_path):
    guard = RestoreGuard(tmp_path, "key")
    guard.committed("p", 41)
    guard.write()

    later = RestoreGuard(tmp_path, "key")
    later.check("p", 41)
    with pytest.raises(DatabaseIsOlder, match="has 40 claimed calls, but 41 were made"):
        later.check("p", 40)


def test_another_database_has_its_own_count(tmp_path):
    guard = RestoreGuard(tmp_path, "key")
    guard.committed("p", 41)
    guard.write()

    RestoreGuard(tmp_path, "other").check("p", 0)


def test_two_workers_share_the_file_and_the_higher_number_stays(tmp_path):
    one, two = RestoreGuard(tmp_path, "key"), RestoreGuard(tmp_path, "key")
    one.committed("p", 50)
    one.write()
    two.committed("p", 45)
    two.write()

    assert RestoreGuard(tmp_path, "key").recorded("p") == 50


def test_the_count_never_decreases(tmp_path):
    guard = RestoreGuard(tmp_path, "key")
    guard.committed("p", 5)
    guard.committed("p", 3)

    with pytest.raises(DatabaseIsOlder):
        guard.check("p", 4)


def test_nothing_new_is_not_written(tmp_path):
    RestoreGuard(tmp_path, "key").write()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[1", "\x00"])
def test_an_unreadable_file_is_replaced(tmp_path, caplog, content):
    (tmp_path / "claims.json").write_text(content)

    guard = RestoreGuard(tmp_path, "key")
    guard.committed("p", 3)
    guard.write()

    assert "starting a new file" in caplog.text
    assert RestoreGuard(tmp_path, "key").recorded("p") == 3


def test_a_failed_write_does_not_stop_the_worker(tmp_path, caplog):
    folder = tmp_path / "missing"
    guard = RestoreGuard(folder, "key")
    guard.committed("p", 3)

    guard.write()

    assert "Cannot write" in caplog.text
    folder.mkdir()
    guard.write()
    assert RestoreGuard(folder, "key").recorded("p") == 3


@pytest.mark.django_db
def test_open_notifications_are_paused_and_unconfirmed():
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


@pytest.mark.django_db
def test_the_quarantine_changes_the_key_of_the_database():
    key = Installation.present().key

    quarantine_restored("operator")

    assert Installation.present().key != key


@pytest.mark.django_db
def test_the_quarantine_command(capsys):
    make_delivery()

    call_command("quarantine_restored")

    assert capsys.readouterr().out == "paused=1 unconfirmed=1\n"


def test_each_call_that_sends_has_its_own_count(tmp_path):
    guard = RestoreGuard(tmp_path, "key")
    guard.committed("notices", 41)
    guard.committed("messages", 7)
    guard.write()

    later = RestoreGuard(tmp_path, "key")
    later.check("notices", 41)
    later.check("messages", 7)
    later.check("new", 0)
    with pytest.raises(DatabaseIsOlder, match="has 6 claimed calls, but 7 were made"):
        later.check("messages", 6)


def test_a_count_that_another_worker_overwrote_is_written_again(tmp_path):
    """Two workers that write at once read the same file before."""
    guard = RestoreGuard(tmp_path, "key")
    guard.committed("notices", 41)
    guard.write()
    (tmp_path / "claims.json").write_text('{"key/messages": 7}')

    guard.write()

    later = RestoreGuard(tmp_path, "key")
    assert (later.recorded("notices"), later.recorded("messages")) == (41, 7)


@pytest.mark.django_db
def test_a_restored_message_is_not_queried():
    """Another number may have been drawn for it since the backup was made."""
    notification = make_notification(status="sending", channel="group_message")
    waiting = make_delivery(notification)
    dropped = make_delivery(
        notification,
        attempt_count=1,
        error_code=0,
        reason="dropped",
        drop_reason="MsgFreqCtrl",
    )

    quarantine_restored("operator")

    for row in (waiting, dropped):
        row.refresh_from_db()
        assert (row.status, row.reason) == ("unconfirmed", "restored")
        assert row.next_query_at is None
