"""Download of the evidence: permissions, availability, audit entries."""

import hashlib
import io
import zipfile

import pytest

from notifications import permissions
from notifications.models import AuditEntry, Notification
from tests.factories import (
    make_archive,
    make_delivery,
    make_notification,
    make_seal,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


@pytest.fixture
def sent() -> Notification:
    notification = make_notification(status="completed")
    make_delivery(notification, status="accepted")
    return notification


def address(notification: Notification) -> str:
    return f"/sent/{notification.pk}/evidence/"


def test_a_zip_file_and_first_an_entry(auditor, sent):
    seal = make_seal(sent)

    response = auditor.post(address(sent))

    entry = AuditEntry.objects.get(action="evidence")  # before anything was read
    assert (entry.actor, entry.notification_number, entry.detail) == (
        "wang.fang",
        sent.pk,
        {"format": "zip", "head": seal.head},
    )
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == (
        f'attachment; filename="evidence-{sent.pk}-{seal.head[:12]}.zip"'
    )
    assert "no-store" in response["Cache-Control"]
    data = b"".join(response.streaming_content)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 8
    assert AuditEntry.objects.get(action="export_ended").detail == {
        "rows": 1,
        "sha256": hashlib.sha256(data).hexdigest(),
        "completed": True,
    }


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("completed", "It is not sealed yet."),
        ("sending", "The evidence can be downloaded when all of it has ended"),
    ],
)
def test_without_a_seal_there_is_none_and_the_page_says_why(auditor, status, sentence):
    notification = make_notification(status=status)

    answer = auditor.post(address(notification), follow=True)

    assert answer.redirect_chain == [(f"/sent/{notification.pk}/", 302)]
    text = answer.content.decode()
    assert text.count(sentence) == 2  # the message, and where the button would be
    assert "Download the evidence" not in text
    assert not AuditEntry.objects.filter(action="evidence").exists()


def test_what_is_archived_lies_in_the_archive(auditor, sent):
    make_seal(sent)
    make_archive(sent, file_name="notification-1.jsonl.gz")

    answer = auditor.post(address(sent), follow=True)

    assert "The file notification-1.jsonl.gz there holds" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="evidence").exists()


def test_drafts_and_unknown_numbers_are_not_there(auditor):
    draft = make_notification()

    assert auditor.post(address(draft)).status_code == 404
    assert auditor.post(f"/sent/{draft.pk + 1}/evidence/").status_code == 404


@pytest.mark.parametrize(
    "role", [permissions.COMMUNITY_MANAGER, permissions.GROUP_ADMINISTRATOR, None]
)
def test_others_are_refused(log_in, sent, role):
    make_seal(sent)
    client = log_in(make_user(role, username="zhao"))

    assert client.post(address(sent)).status_code == 403
    assert not AuditEntry.objects.filter(action="evidence").exists()


def test_looking_does_not_download(auditor, sent):
    make_seal(sent)

    assert auditor.get(address(sent)).status_code == 405
