"""The export of the audit trail: content, permissions and its own entry."""

import csv
import hashlib
import io
import json

import pytest

from notifications import audit_log, permissions
from notifications.audit.export import COLUMNS
from notifications.audit_log import Origin
from notifications.delivery.audit_events import ALL_STOPPED, PAUSED, RESUMED
from notifications.models import AuditEntry
from notifications.ui.downloads import PIECE_ROWS
from tests.factories import MOMENT, make_user
from tests.management.running import run

pytestmark = pytest.mark.django_db

DOWNLOAD = "/history/actions/download/"
ENDS = ("trail_exported", "export_ended")


@pytest.fixture
def auditor(log_in):
    return log_in(
        make_user(permissions.AUDITOR, username="wang.fang", first_name="Fang")
    )


def write_one() -> Origin:
    click = Origin(address="192.0.2.7")
    with audit_log.origin(click):
        audit_log.write(
            PAUSED,
            "=cmd()",
            at=MOMENT,
            notification=5,
            note='=1+1\n"直播"',
            code=None,
        )
    return click


def test_lines_of_json_are_what_was_written(auditor):
    click = write_one()
    audit_log.write(RESUMED, "lin.mei", notification=5)

    response = auditor.post(DOWNLOAD, {"format": "jsonl", "action": "paused"})

    body = b"".join(response.streaming_content)
    (row,) = [json.loads(line) for line in body.decode().splitlines()]
    assert row == {
        "id": AuditEntry.objects.get(action="paused").pk,
        "at": "2026-03-02T09:30:00+00:00",
        "action": "paused",
        "actor": "=cmd()",
        "actor_name": "",
        "by_superuser": False,
        "address": "192.0.2.7",
        "request_number": str(click.number),
        "notification": 5,
        "delivery": None,
        "detail": {"note": '=1+1\n"直播"', "code": None},
    }
    assert "jsonl" in response["Content-Disposition"]
    begun, ended = AuditEntry.objects.filter(action__in=ENDS).order_by("id")
    assert begun.detail == {"format": "jsonl", "filters": {"action": "paused"}}
    assert ended.detail == {
        "rows": 1,
        "sha256": hashlib.sha256(body).hexdigest(),
        "completed": True,
    }
    for entry in (begun, ended):
        assert (entry.actor, entry.actor_name) == ("wang.fang", "Fang")
        assert entry.address == "127.0.0.1"
    assert begun.request_number == ended.request_number is not None


def test_a_table_for_a_spreadsheet(auditor):
    write_one()

    response = auditor.post(DOWNLOAD)

    text = b"".join(response.streaming_content).decode()
    assert text[0] == "\ufeff"
    (row,) = csv.DictReader(io.StringIO(text[1:]))
    assert list(row) == [column.name for column in COLUMNS]
    assert (row["actor"], row["detail"][:2]) == ("'=cmd()", '{"')
    assert json.loads(row["detail"])["note"] == '=1+1\n"直播"'
    ended = AuditEntry.objects.get(action="export_ended")
    assert ended.detail["rows"] == 1  # without the header


@pytest.mark.parametrize("text", ["=1+1", "@bo", "\n=1", "'", "'=1", "plain", "a'b"])
def test_a_cell_without_its_first_sign_is_the_text(auditor, text):
    AuditEntry.objects.create(action=RESUMED.word, actor="bo", actor_name=text)

    response = auditor.post(DOWNLOAD)

    body = b"".join(response.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(body, newline=""))
    cell = row["actor_name"]
    assert cell[:1] not in tuple("=+-@\t\r\n")
    assert cell.removeprefix("'") == text


@pytest.mark.django_db(transaction=True)  # closing a response closes the connection
def test_an_interrupted_download_is_recorded(auditor):
    AuditEntry.objects.bulk_create(
        AuditEntry(action=ALL_STOPPED.word, actor="lin.mei")
        for _n in range(PIECE_ROWS + 1)
    )

    response = auditor.post(DOWNLOAD)
    assert AuditEntry.objects.filter(action="trail_exported").exists()
    for _piece in ("heading", "rows"):
        next(response.streaming_content)
    response.close()

    (ended,) = AuditEntry.objects.filter(action="export_ended")
    assert (ended.detail["completed"], ended.detail["rows"]) == (
        False,
        PIECE_ROWS,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("download", [DOWNLOAD, "/history/deliveries/download/"])
def test_a_download_that_is_never_read_is_recorded(auditor, download):
    auditor.post(download).close()

    begun, ended = AuditEntry.objects.order_by("-id")[:2][::-1]
    assert (ended.action, ended.detail) == (
        "export_ended",
        {"rows": 0, "sha256": hashlib.sha256().hexdigest(), "completed": False},
    )
    assert begun.request_number == ended.request_number is not None


def test_more_than_a_page_of_the_table_in_order(auditor):
    AuditEntry.objects.bulk_create(
        AuditEntry(action=ALL_STOPPED.word, actor="lin.mei") for _n in range(2001)
    )

    response = auditor.post(DOWNLOAD, {"format": "jsonl"})

    lines = b"".join(response.streaming_content).splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == sorted(ids)
    assert len(ids) == 2001


def test_a_bad_filter_downloads_nothing(auditor):
    response = auditor.post(DOWNLOAD, {"from": "2026-13-45", "who": "x"})

    assert response["Location"] == "/history/actions/?who=x&from=2026-13-45"
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "held",
    [[permissions.SEE_TRAIL], [permissions.EXPORT_HISTORY, permissions.SEE_HISTORY]],
)
def test_both_rights_are_needed(log_in, held):
    person = make_user()
    person.user_permissions.set(permissions.permission_rows(held))
    write_one()
    client = log_in(person)

    assert client.post(DOWNLOAD).status_code == 403
    assert b"Download as" not in client.get("/history/actions/").content
    assert AuditEntry.objects.count() == 1


def test_a_link_downloads_nothing(auditor):
    assert auditor.get(DOWNLOAD).status_code == 405


def test_the_same_from_the_command_line(auditor, tmp_path):
    write_one()
    audit_log.write(RESUMED, "lin.mei", notification=5)
    path = tmp_path / "trail.jsonl"
    words = ["export_trail", "--format", "jsonl", "--action", "paused"]

    code, out, err = run(*words, "--from", "2026-03-02", "--notification", "5")
    assert run(*words, "--output", str(path)) == (0, "", "")

    assert (code, err) == (0, "")
    assert path.read_text("utf-8") == out
    page = auditor.post(DOWNLOAD, {"format": "jsonl", "action": "paused"})
    assert b"".join(page.streaming_content).decode() == out
    entries = AuditEntry.objects.filter(actor__startswith="export_trail (")
    begun, ended = entries.order_by("id")[:2]
    assert (begun.action, ended.action) == ENDS
    assert begun.request_number == ended.request_number is not None
    assert list(tmp_path.iterdir()) == [path]


def test_a_command_with_an_invalid_filter_writes_nothing(tmp_path):
    assert run("export_trail", "--format", "csv", "--from", "2026-13-45") == (
        2,
        "",
        "There is no such day.",
    )
    assert not AuditEntry.objects.exists()

    path = str(tmp_path / "no" / "x.csv")
    code, _out, err = run("export_trail", "--format", "csv", "--output", path)
    assert (code, "No such file" in err) == (2, True)
