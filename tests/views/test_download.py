"""The download: what is in the file, who may have it, what is written down."""

import csv
import io
from datetime import UTC, datetime

import pytest

from notifications import roles
from notifications.models import AuditEntry
from notifications.record.export import COLUMNS
from tests.factories import make_attempt, make_delivery, make_group, make_user

pytestmark = pytest.mark.django_db

DELIVERIES = "/history/deliveries/"
DOWNLOAD = "/history/deliveries/download/"


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(roles.AUDITOR, username="wang.fang"))


def rows_of(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_filtered_list_as_a_file(auditor):
    group = make_group(name="=直播间")
    failed = make_delivery(group=group, status="failed")
    make_attempt(failed, outcome="rejected")
    make_delivery(status="accepted")

    response = auditor.post(DOWNLOAD, {"status": "failed", "q": "直播"})

    (row,) = rows_of(response)
    assert list(row) == COLUMNS
    assert (row["group_name"], row["status"], row["error_code"]) == (
        "'=直播间",
        "failed",
        "10010",
    )
    today = datetime.now(tz=UTC)
    assert response["Content-Disposition"] == (
        f'attachment; filename="history-{today:%Y-%m-%d}.csv"'
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.detail) == (
        "exported",
        "wang.fang",
        {"format": "csv", "filters": {"q": "直播", "status": "failed"}},
    )


def test_the_entry_is_written_before_the_first_line(auditor):
    make_delivery()

    auditor.post(DOWNLOAD)  # and nothing read

    assert AuditEntry.objects.get().detail == {"format": "csv", "filters": {}}


def test_more_rows_than_one_block(auditor):
    group = make_group()
    for _n in range(401):
        make_delivery(group=group)

    assert len(rows_of(auditor.post(DOWNLOAD))) == 401


def test_a_bad_filter_downloads_nothing(auditor):
    make_delivery()

    response = auditor.post(DOWNLOAD, {"from": "2026-13-45", "type": "Public"})

    assert response["Location"] == f"{DELIVERIES}?from=2026-13-45&type=Public"
    page = auditor.get(response["Location"])
    assert [str(message) for message in page.context["messages"]] == [
        "Nothing was downloaded: correct the filters first."
    ]
    assert AuditEntry.objects.count() == 0


def test_a_manager_without_the_right_is_refused_in_words(log_in):
    make_delivery(status="failed")
    client = log_in(make_user(roles.COMMUNITY_MANAGER, username="j.okafor"))

    page = client.get(DELIVERIES)
    refused = client.post(DOWNLOAD)

    assert "Download as CSV" not in page.content.decode()
    assert refused.status_code == 403
    assert "Your login may not do this." in refused.content.decode()
    assert AuditEntry.objects.count() == 0


def test_nobody_downloads_without_a_login(client):
    response = client.post(DOWNLOAD)

    assert response["Location"].startswith("/login/")
    assert AuditEntry.objects.count() == 0


def test_a_link_downloads_nothing(auditor):
    assert auditor.get(DOWNLOAD).status_code == 405


def test_the_button_carries_the_filters(auditor):
    make_delivery(status="failed")

    text = auditor.get(DELIVERIES + "?status=failed").content.decode()

    assert "Download as CSV" in text
    assert '<input type="hidden" name="status" value="failed">' in text
