"""The export of the history: contents, permissions, audit entries."""

import csv
import hashlib
import io
import json
from collections.abc import Generator, Iterable
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError

from notifications import permissions
from notifications.history.audit_events import EXPORTED
from notifications.history.export import COLUMNS, pages
from notifications.history.search.facets import facets
from notifications.history.search.filters import DeliveryFilter
from notifications.models import AuditEntry
from notifications.ui.downloads import (
    AuditedDownload,
    DownloadTooSlow,
    Piece,
    export_pieces,
)
from tests.factories import (
    make_attempt,
    make_delivery,
    make_ended_amendment,
    make_group,
    make_notification,
    make_query,
    make_seal,
    make_user,
)

pytestmark = pytest.mark.django_db

DELIVERIES = "/history/deliveries/"
DOWNLOAD = "/history/deliveries/download/"

NAMES = [column.name for column in COLUMNS]


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


def rows_of(response) -> list[dict[str, str]]:
    return rows_in(response.streaming_content)


def rows_in(pieces: Iterable[bytes]) -> list[dict[str, str]]:
    text = b"".join(pieces).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def download_of(pieces: Generator[Piece]) -> AuditedDownload:
    return AuditedDownload(
        EXPORTED,
        "wang.fang",
        [],
        pieces,
        name="history",
        file_format="csv",
        filters={},
    )


def test_the_filtered_list_as_a_file(auditor):
    group = make_group(name="=直播间")
    failed = make_delivery(group=group, status="failed")
    make_attempt(failed, outcome="rejected")
    make_delivery(status="accepted")

    response = auditor.post(DOWNLOAD, {"status": "failed", "q": "直播"})

    (row,) = rows_of(response)
    assert list(row) == NAMES
    assert (row["group_name"], row["status"], row["error_code"]) == (
        "'=直播间",
        "failed",
        "10010",
    )
    today = datetime.now(tz=UTC)
    assert response["Content-Disposition"] == (
        f'attachment; filename="history-{today:%Y-%m-%d}-none.csv"'
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    first, last = AuditEntry.objects.order_by("id")
    assert (first.action, first.actor, first.detail) == (
        "exported",
        "wang.fang",
        {"format": "csv", "filters": {"q": "直播", "status": "failed"}},
    )
    assert (last.action, last.actor, last.detail["rows"]) == (
        "export_ended",
        "wang.fang",
        1,
    )


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_the_last_entry_holds_the_digest_of_what_was_read(auditor, file_format):
    for _n in range(3):
        make_attempt(make_delivery(status="accepted"))

    response = auditor.post(DOWNLOAD, {"format": file_format})
    file = b"".join(response.streaming_content)

    assert AuditEntry.objects.latest("id").detail == {
        "rows": 3,
        "sha256": hashlib.sha256(file).hexdigest(),
        "completed": True,
    }


def test_a_reader_who_went_away():
    for _n in range(3):
        make_delivery()
    rows = pages(DeliveryFilter(), facets().unsealed)

    download = download_of(export_pieces(COLUMNS, rows, "csv", size=1))
    read = [next(download), next(download)]
    download.close()

    assert AuditEntry.objects.latest("id").detail == {
        "rows": 1,
        "sha256": hashlib.sha256(b"".join(read)).hexdigest(),
        "completed": False,
    }


def test_a_download_that_is_closed_leaves_no_query_open():
    ended = []

    def pieces():
        try:
            yield b"row", 1
            yield b"row", 1
        finally:
            ended.append(AuditEntry.objects.count())

    download = download_of(pieces())
    next(download)
    download.close()

    assert ended == [1]  # before the entry about its end


def test_an_error_ends_the_download_and_is_recorded():
    def pieces():
        yield b"row", 1
        raise DatabaseError("the snapshot is lost")

    download = download_of(pieces())
    next(download)
    with pytest.raises(DatabaseError):
        next(download)
    download.close()  # by the server

    assert AuditEntry.objects.latest("id").detail["completed"] is False


def test_a_reader_who_is_too_slow(monkeypatch):
    monkeypatch.setattr("notifications.ui.downloads.MAX_SECONDS", -1)
    download = download_of(piece for piece in [(b"row", 1), (b"row", 1)])

    assert next(download) == b"row"
    with pytest.raises(DownloadTooSlow):
        next(download)
    download.close()

    assert AuditEntry.objects.latest("id").detail["completed"] is False


def test_lines_of_json_are_verbatim(auditor):
    group = make_group(name="=1+1\n\u202e直播", group_id="@TGS#1")
    notification = make_notification(status="completed", recipients="'anna\n@bo")
    row = make_delivery(notification, group, status="accepted")
    seal = make_seal(notification)

    response = auditor.post(DOWNLOAD, {"format": "jsonl"})
    (line,) = b"".join(response.streaming_content).decode().splitlines()

    values = json.loads(line)
    assert list(values) == NAMES
    assert (values["delivery"], values["seal"]) == (row.pk, seal.number)
    assert (values["group_id"], values["group_name"]) == ("@TGS#1", group.name)
    assert values["recipients"] == ["'anna", "@bo"]
    assert response["Content-Type"] == "application/jsonl; charset=utf-8"
    assert response["Content-Disposition"].endswith(f'-{seal.head[:12]}.jsonl"')


HOSTILE = ["=1+1", "+1", "-1", "@TGS#1", "\t=1", "\r=1", "\n=1", "'", "'=1", "''"]


@pytest.mark.parametrize("text", [*HOSTILE, "plain", "a'b", '"', "a,b", "😀 <script>"])
def test_a_cell_without_its_first_sign_is_the_text(auditor, text):
    make_delivery(group=make_group(name=text, group_id="hikers"), status="failed")

    (row,) = rows_of(auditor.post(DOWNLOAD))

    cell = row["group_name"]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == text
    assert cell.startswith("'") == (text in HOSTILE)


def test_a_format_that_there_is_not(auditor):
    make_delivery()

    response = auditor.post(DOWNLOAD, {"format": "²", "status": "queued"})

    assert response["Location"] == f"{DELIVERIES}?status=queued"
    assert AuditEntry.objects.count() == 0


def test_the_entry_is_written_before_the_first_line(auditor):
    make_delivery()

    auditor.post(DOWNLOAD)  # and nothing read

    assert AuditEntry.objects.get().detail == {"format": "csv", "filters": {}}


@pytest.mark.parametrize(("piece_rows", "page_rows"), [(2, 3), (3, 2), (1, 1)])
def test_pieces_and_pages_are_the_whole(piece_rows, page_rows):
    deliveries = [make_delivery(status="failed") for _n in range(7)]
    group_ids = [delivery.group_id for delivery in deliveries]

    for filters in ({}, {"status": "failed"}, {"group_ids": group_ids}):
        live = facets().unsealed
        rows = pages(DeliveryFilter(**filters), live, size=page_rows)
        pieces = list(export_pieces(COLUMNS, rows, "csv", size=piece_rows))
        assert max(count for _piece, count in pieces) <= piece_rows
        rows = rows_in(piece for piece, _count in pieces)
        assert [int(row["delivery"]) for row in rows] == [d.pk for d in deliveries]


def test_rare_rows_begin_with_a_small_page(monkeypatch):
    monkeypatch.setattr("notifications.history.export.FIRST_ROWS", 2)
    deliveries = [make_delivery(status="failed") for _n in range(15)]

    rows = list(pages(DeliveryFilter(status="failed"), facets().unsealed, size=8))

    assert [len(page) for page in rows] == [2, 4, 8, 1]
    assert [row[0] for page in rows for row in page] == [d.pk for d in deliveries]


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
    client = log_in(make_user(permissions.COMMUNITY_MANAGER, username="j.okafor"))

    page = client.get(DELIVERIES)
    refused = client.post(DOWNLOAD)

    assert "Download as CSV" not in page.content.decode()
    assert refused.status_code == 403
    assert "Your login may not do this." in refused.content.decode()
    assert AuditEntry.objects.count() == 0


def test_anonymous_users_cannot_download(client):
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


@pytest.mark.parametrize("channel", ["recall", "correction"])
def test_a_run_has_one_row_per_group_with_what_it_changed(auditor, channel):
    sent = make_notification(status="completed", channel="group_message")
    for number in (417, 418):
        make_delivery(sent, status="accepted", msg_seq=number)
    amendment = make_ended_amendment(
        sent, channel, status="failed", reason="still_there", error_code=None
    )
    for delivery in amendment.deliveries.all():
        make_query(delivery, kind="state")

    rows = rows_of(auditor.post(DOWNLOAD, {"notification": amendment.pk}))

    amended = list(sent.deliveries.order_by("-pk"))
    columns = ("notification", "amends", "amended_delivery", "msg_seq", "status")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        (
            *(str(amendment.pk), str(sent.pk), str(message.pk)),
            *(str(message.msg_seq), "failed"),
        )
        for message in amended
    ]
    assert {row["channel"] for row in rows} == {channel}
    assert [json.loads(row["queries"])[0]["kind"] for row in rows] == ["state"] * 2
    (first, *_rest) = rows_of(auditor.post(DOWNLOAD, {"notification": sent.pk}))
    assert (first["amends"], first["amended_delivery"]) == ("", "")
