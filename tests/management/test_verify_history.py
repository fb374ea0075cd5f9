"""``manage.py verify_history``: exit codes, messages, and the audit entry."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from notifications.models import Attempt, AuditEntry, Delivery, Seal
from notifications.record import queries as record_queries
from notifications.record.guards import install as guards_install
from notifications.record.trail import seal_trail
from tests.factories import (
    make_archive,
    make_attempt,
    make_delivery,
    make_notification,
    make_sent_entry,
    make_user,
    seal_ended,
)
from tests.record.tampering import edit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sender() -> None:
    """The first superuser, who needs no entry in the audit trail."""
    make_user(superuser=True)


@pytest.fixture
def notification():
    row = make_notification(status="completed")
    make_attempt(make_delivery(row, status="accepted"))
    seal_ended()
    return row


def make_entry() -> AuditEntry:
    return AuditEntry.objects.create(action="sent", actor="lin.mei")


def refused(*arguments):
    with pytest.raises(CommandError) as error:
        call_command("verify_history", *arguments)
    return error.value.returncode, str(error.value)


def test_unchanged(notification, capsys):
    make_sent_entry(make_notification(status="completed"))

    call_command("verify_history")

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"seals: 1; notifications read: 1, with 2 rows; head: {record_queries.head()}",
        "ended, not sealed yet: 1",
    ]
    assert lines[-1] == "Unchanged."
    entry = AuditEntry.objects.get(action="verified")
    assert entry.detail["unchanged"] is True
    assert entry.detail["head"] == record_queries.head()


def test_the_audit_trail_is_counted(notification, capsys):
    make_entry()
    seal_trail()
    make_entry()

    call_command("verify_history")

    out = capsys.readouterr().out
    assert "audit entries not sealed yet: 1; numbers without an entry" in out


def test_numbers_without_an_audit_entry_are_listed(notification, capsys):
    with transaction.atomic():
        number = make_entry().pk
        transaction.set_rollback(True)
    make_entry()
    seal_trail()

    call_command("verify_history")

    out = capsys.readouterr().out
    listed = "numbers without an audit entry since before they were sealed: "
    if connection.vendor == "sqlite":  # a rollback returns its numbers
        assert listed not in out
    else:
        assert listed in out
        assert re.search(rf"\b(to )?{number}\. A rolled back transaction", out)


def test_changed(notification):
    seal = notification.seal
    with guards_install.guards_disabled():
        Seal.objects.filter(pk=seal.pk).update(rows=5)

    code, sentence = refused()

    assert (code, sentence) == (1, "Changed.\nseal 1 was changed.")
    entry = AuditEntry.objects.get(action="verified")
    assert entry.detail["unchanged"] is False
    assert entry.detail["differences"] == ["seal 1 was changed."]


def test_a_head_that_is_not_there(notification):
    code, sentence = refused("--expect", "0" * 12)

    assert code == 1
    assert "No seal has the head 000000000000" in sentence


def test_a_notification_without_a_seal():
    number = make_notification(status="completed").pk

    assert refused("--notification", str(number)) == (
        2,
        f"There is no sealed notification {number}.",
    )


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--expect", "xyz", "“xyz” is not a head: 12 to 64 digits of 0-9 and a-f."),
        ("--since", "2026-13-45", "“2026-13-45” is not a date like 2026-03-02."),
        ("--since", "tomorrow", "“tomorrow” is not a date like 2026-03-02."),
    ],
)
def test_bad_options(option, value, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("verify_history", option, value)


def test_an_archive_folder_that_is_not_there_is_not_needed(
    notification, tmp_path, capsys
):
    call_command("verify_history", "--archive", str(tmp_path / "nowhere"))

    assert "Unchanged." in capsys.readouterr().out


@pytest.fixture
def archived(notification):
    """Its file does not exist."""
    with guards_install.guards_disabled():
        Attempt.objects.all().delete()
        Delivery.objects.all().delete()
    return make_archive(notification)


def test_archives_that_are_not_read_cannot_be_judged(archived):
    code, sentence = refused()

    assert code == 2
    assert sentence.startswith(
        "Cannot tell: the files of archived notifications were not read."
    )
    entry = AuditEntry.objects.get(action="verified")
    assert (entry.detail["unchanged"], entry.detail["archived"]) == (True, 1)
    state = record_queries.record_state()
    assert (state.unchanged, state.is_determined, state.unread_archives) == (
        True,
        False,
        1,
    )


def test_archives_that_are_left_out_on_purpose(archived, capsys):
    call_command("verify_history", "--without-archives")

    assert capsys.readouterr().out.endswith("Unchanged.\n")
    assert record_queries.record_state().is_determined


def test_archives_whose_files_are_gone(archived, tmp_path):
    assert refused("--archive", str(tmp_path)) == (
        2,
        "Cannot tell: these archive files could not be read.\n"
        f"{archived.file_name}: No such file or directory",
    )


def test_a_difference_wins_over_an_unread_archive(archived):
    with guards_install.guards_disabled():
        edit(archived, attempts=9)

    code, sentence = refused()

    assert (code, sentence) == (
        1,
        f"Changed.\nthe archive of notification {archived.notification_id} was changed.",
    )


def test_heads_that_are_kept_in_a_file(notification, tmp_path, capsys):
    path = tmp_path / "heads"
    path.touch()
    options = ("--expect-file", str(path), "--keep-head", str(path))

    call_command("verify_history", *options)
    assert f"{path} is empty: no head is expected." in capsys.readouterr().out
    make_entry()
    seal_trail()
    call_command("verify_history", *options)

    heads = [line.split()[0] for line in path.read_text().splitlines()]
    assert heads == [seal.head for seal in Seal.objects.all()]
    with guards_install.guards_disabled():
        Seal.objects.latest("number").delete()
    assert refused(*options) == (
        1,
        f"Changed.\nNo seal has the head {heads[-1]}: seals were removed or made anew.",
    )
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("text", ["no head", "\n", "0123 2026-11-30", None])
def test_a_file_without_a_head(notification, tmp_path, text):
    path = tmp_path / "heads"
    if text is not None:
        path.write_text(text)

    assert refused("--expect-file", str(path))[0] == 2
