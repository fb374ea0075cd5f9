"""``export_evidence``: a complete file or none."""

import zipfile

import pytest

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
