"""Archiving beside each reader of the record: it reads all rows, or says that it failed."""

import csv
import hashlib
import io
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.http import StreamingHttpResponse

from notifications import permissions
from notifications.history import archiving
from notifications.history.archiving import archive_history
from notifications.history.audit_events import EXPORTED
from notifications.history.evidence.bundle import ArchivedMeanwhile
from notifications.models import AuditEntry, Delivery, Notification
from notifications.record import archive as record_archive
from notifications.record.differences import Verification
from notifications.record.verification import verify
from notifications.ui.downloads import AuditedDownload
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_notification,
    make_seal,
    make_user,
)
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)

LATER = MOMENT.replace(year=2027)
IN_THE_TRANSACTION = "notifications.history.archiving._remove"


@pytest.fixture
def sealed() -> list[Notification]:
    rows = [make_notification(status="completed") for _n in range(2)]
    for row in rows:
        for status, outcome in (("accepted", "accepted"), ("failed", "rejected")):
            make_attempt(make_delivery(row, status=status), outcome=outcome)
        make_seal(row)
    return rows


@pytest.fixture
def archive(tmp_path) -> Callable[[], int]:
    """Archives everything, and returns the number of archived notifications."""
    return lambda: len(list(archive_history(LATER, tmp_path, actor="test")))


@pytest.fixture
def post(log_in) -> Callable[[str], StreamingHttpResponse]:
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    return lambda address: client.post(address, {"format": "csv"})


def read(response: StreamingHttpResponse) -> bytes:
    try:
        return b"".join(response.streaming_content)
    finally:
        response.close()


def ended() -> dict[str, object]:
    return AuditEntry.objects.get(action="export_ended").detail


# --- verification -----------------------------------------------------------------


@pytest.mark.parametrize(
    "point",
    [
        # After the query for the archive, and between the two queries for the rows.
        "notifications.record.differences.rows",
        "notifications.record.canonical_text._array",
    ],
)
def test_verification_while_rows_are_archived(sealed, archive, point):
    verification, count = interleave(verify, archive, at=point)

    assert count == 2
    assert (verification.differences, verification.rows) == ([], 8)
    assert verify().archived == 2


def test_a_verification_in_the_middle_of_archiving(sealed, archive):
    count, verification = interleave(archive, verify, at=IN_THE_TRANSACTION)

    assert count == 2
    assert isinstance(verification, Verification)
    assert (verification.differences, verification.rows) == ([], 8)


# --- export -----------------------------------------------------------------------


def exported(post: Callable[[str], StreamingHttpResponse]) -> list[dict[str, str]]:
    text = read(post("/history/deliveries/download/")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "point",
    [
        "notifications.history.export.id_ranges",
        "notifications.history.export._notifications",
        "notifications.history.export._rows_of",
    ],
)
def test_an_export_while_rows_are_archived(sealed, archive, post, point):
    rows, count = interleave(lambda: exported(post), archive, at=point)

    assert count == 2
    assert len(rows) == 4
    assert all('"outcome"' in row["attempts"] for row in rows)
    assert (ended()["completed"], ended()["rows"]) == (True, 4)


def test_an_export_in_the_middle_of_archiving(sealed, archive, post):
    count, rows = interleave(archive, lambda: exported(post), at=IN_THE_TRANSACTION)

    assert count == 2
    # On SQLite its audit entry waits for the archive, so rows of a notification are gone.
    assert ended()["completed"] is True
    assert len(rows) == 2 * len({row["notification"] for row in rows})
    assert len(rows) == 4 or connection.vendor == "sqlite"


def test_a_trail_while_entries_are_written(sealed, archive, post):
    AuditEntry.objects.create(action="sent", actor="lin.mei")

    data, count = interleave(
        lambda: read(post("/history/actions/download/")),
        archive,
        at="notifications.ui.downloads._csv_lines",
    )

    assert count == 2
    assert b",archived," not in data


# --- evidence ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "point",
    [
        "notifications.record.canonical_text._queries",
        "notifications.history.evidence.bundle.action_line",
        "notifications.history.evidence.page.actions_of_notification",
    ],
)
def test_evidence_while_rows_are_archived(sealed, archive, post, point):
    first = sealed[0]
    data, count = interleave(
        lambda: read(post(f"/sent/{first.pk}/evidence/")), archive, at=point
    )

    assert count == 2
    assert_whole(data, first)
    assert (ended()["completed"], ended()["sha256"]) == (
        True,
        hashlib.sha256(data).hexdigest(),
    )


def test_evidence_in_the_middle_of_archiving(sealed, archive, post):
    first = sealed[0]

    count, data = interleave(
        archive,
        lambda: read(post(f"/sent/{first.pk}/evidence/")),
        at=IN_THE_TRANSACTION,
    )

    assert count == 2
    if connection.vendor == "sqlite":  # likewise
        assert isinstance(data, ArchivedMeanwhile)
        assert ended()["completed"] is False
    else:
        assert_whole(data, first)


def test_evidence_of_rows_that_were_archived_before_the_first_byte(
    sealed, archive, post
):
    """The server can only close the connection; the audit trail has the failure."""
    error, count = interleave(
        lambda: read(post(f"/sent/{sealed[0].pk}/evidence/")),
        archive,
        at="notifications.history.evidence.services.AuditedDownload",
    )

    assert count == 2
    assert isinstance(error, ArchivedMeanwhile)
    assert ended()["completed"] is False


def assert_whole(data: bytes, notification: Notification) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        assert bundle.testzip() is None
        files = {Path(name).name: bundle.read(name) for name in bundle.namelist()}
    digest = hashlib.sha256(files["record.jsonl"]).hexdigest()
    assert digest == notification.seal.digest
    page = files["index.html"].decode()
    for line in files["record.jsonl"].splitlines()[1:3]:
        assert line.split(b",")[2].strip(b'"').decode() in page


# --- the page of a notification -----------------------------------------------------


def test_a_page_while_rows_are_archived(sealed, archive, log_in):
    """It shows the groups, and not yet that they are archived."""
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))

    page, count = interleave(
        lambda: client.get(f"/sent/{sealed[0].pk}/"),
        archive,
        at="notifications.history.views.notification.notification_detail",
    )

    assert count == 2
    assert "notification-" not in page.content.decode()


# --- another archive_history ------------------------------------------------------


def test_two_runs_into_different_folders(sealed, archive, tmp_path):
    """The later one must not report that the record differs from its seal."""
    other = tmp_path / "other"
    other.mkdir()

    error, count = interleave(
        lambda: list(archive_history(LATER, other, actor="test")),
        archive,
        at="notifications.record.canonical_text._queries",
    )

    assert count == 2
    assert isinstance(error, record_archive.NotArchivable)
    assert "was archived meanwhile by another run" in str(error)
    assert Delivery.objects.count() == 0
    assert archiving.unsealed(LATER) == 0


# --- a lost connection ------------------------------------------------------------


def test_a_download_whose_snapshot_is_lost():
    def pieces():
        yield b"row", 1
        yield b"row", Delivery.objects.count()

    download = AuditedDownload(
        EXPORTED, "wang.fang", [], pieces(), name="history", file_format="csv"
    )
    next(download)
    if connection.vendor == "sqlite":
        connection.connection.close()
    else:
        pid = connection.connection.info.backend_pid
        thread = threading.Thread(target=terminate, args=[pid])
        thread.start()
        thread.join()

    with pytest.raises(DatabaseError):
        next(download)
    download.close()

    assert (ended()["completed"], ended()["rows"]) == (False, 1)


def terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    connection.close()
