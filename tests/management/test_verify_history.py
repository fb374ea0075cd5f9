"""``manage.py verify_history``: exit codes, messages, and the audit entry."""

import pytest
from django.core.management import CommandError, call_command

from notifications.models import AuditEntry, Seal
from notifications.record import queries as record_queries
from notifications.record import sealing
from notifications.record.guards import install as guards_install
from tests.factories import make_attempt, make_delivery, make_notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def notification():
    row = make_notification(status="completed")
    make_attempt(make_delivery(row, status="accepted"))
    sealing.seal_ended()
    return row


def refused(*arguments):
    with pytest.raises(CommandError) as error:
        call_command("verify_history", *arguments)
    return error.value.returncode, str(error.value)


def test_unchanged(notification, capsys):
    make_notification(status="completed")

    call_command("verify_history")

    assert capsys.readouterr().out == (
        f"seals: 1; notifications read: 1, with 2 rows; head: {record_queries.head()}\n"
        "ended, not sealed yet: 1\n"
        "Unchanged.\n"
    )
    entry = AuditEntry.objects.get(action="verified")
    assert entry.detail["unchanged"] is True
    assert entry.detail["head"] == record_queries.head()


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


def test_an_archive_folder_that_is_not_there(notification, capsys, tmp_path):
    call_command("verify_history", "--archive", str(tmp_path / "nowhere"))

    assert "Unchanged." in capsys.readouterr().out
