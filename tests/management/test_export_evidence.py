"""``export_evidence``: a complete file or none."""

import zipfile

import pytest
from django.core.management import call_command

from notifications.management.base import write_output
from notifications.models import AuditEntry
from tests.factories import make_delivery, make_notification, make_seal
from tests.management.running import run

pytestmark = pytest.mark.django_db


def test_the_file_and_its_proper_name(tmp_path):
    sent = make_notification(status="completed")
    make_delivery(sent, status="accepted")
    seal = make_seal(sent)
    path = tmp_path / "e.zip"

    result = run(
        "export_evidence", "--notification", str(sent.pk), "--output", str(path)
    )

    assert result == (0, f"evidence-{sent.pk}-{seal.head[:12]}.zip\n", "")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    assert [p.name for p in tmp_path.iterdir()] == ["e.zip"]
    entry = AuditEntry.objects.get(action="evidence")
    assert (entry.actor, entry.notification_number) == ("export_evidence", sent.pk)


def test_refusals_leave_no_file(tmp_path):
    sent = make_notification(status="completed")
    arguments = ["--output", str(tmp_path / "e.zip"), "--notification"]

    unknown = run("export_evidence", *arguments, str(sent.pk + 1))
    unsealed = run("export_evidence", *arguments, str(sent.pk))
    make_seal(sent)
    nowhere = run(
        "export_evidence", "--output", str(tmp_path / "no" / "e.zip"),
        "--notification", str(sent.pk),
    )  # fmt: skip

    assert unknown == (2, "", f"There is no notification {sent.pk + 1}.")
    assert unsealed[0] == 2
    assert unsealed[2].startswith("It is not sealed yet.")
    assert nowhere[0] == 2
    assert "No such file" in nowhere[2]
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_archived_before_they_are_read(tmp_path, monkeypatch):
    sent = make_notification(status="completed")
    make_delivery(sent, status="accepted")
    make_seal(sent)
    folder = tmp_path / "archive"
    folder.mkdir()

    def archive_first(*arguments):
        call_command("archive_history", "--before", "2027-01-01", "--to", str(folder))
        return write_output(*arguments)

    command = "notifications.management.commands.export_evidence"
    monkeypatch.setattr(f"{command}.write_output", archive_first)

    code, _out, error = run(
        "export_evidence", "--notification", str(sent.pk),
        "--output", str(tmp_path / "e.zip"),
    )  # fmt: skip

    assert (code, error) == (
        2,
        f"Notification {sent.pk} was archived meanwhile, so its evidence was not "
        "written. The archive file holds the sealed text.",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
