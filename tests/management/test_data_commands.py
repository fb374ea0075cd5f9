"""Send and export from the command line: output, exit codes, no partial effects."""

import csv
import hashlib
import io
import json

import pytest
from django.core.exceptions import ValidationError

from notifications import permissions
from notifications.management.commands import send_notification
from notifications.models import (
    AuditEntry,
    Delivery,
    Label,
    Notification,
    SavedAudience,
)
from tests.factories import (
    ending_fields,
    make_attempt,
    make_delivery,
    make_group,
    make_user,
)
from tests.management.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


def send(*arguments: str) -> tuple[int, str, str]:
    return run("send_notification", "--as", "lin.mei", *arguments)


def test_a_notification_is_accepted_for_sending(manager):
    for name in ("b", "a"):
        make_group(group_id=name)

    code, out, err = send(
        "--content", "Hi", "--group", "b", "a", "--group", "b",
        "--recipient", "anna", "li", "--note", "CM-1",
    )  # fmt: skip

    notification = Notification.objects.get()
    assert (code, out) == (0, f"notification={notification.pk} groups=2\n")
    assert err == "Ignored duplicates of --group: 1\n"
    assert list(
        notification.deliveries.order_by("id").values_list("group_id", "recipients")
    ) == [("b", "anna\nli"), ("a", "anna\nli")]


ONE_WAY = (
    "Choose the chat groups with one of --group, --audience, --all, or conditions such "
    "as --type and --except."
)


@pytest.mark.parametrize(
    ("arguments", "kind", "values"),
    [
        (
            ["--type", "Public", "AVChatRoom", "--except", "old"],
            "rule",
            {"types": ["Public", "AVChatRoom"], "exceptions": ["old"]},
        ),
        (
            ["--label", "north", "--name-contains", "Hik", "--min-members", "0"],
            "rule",
            {"labels": ["North"], "name_contains": "Hik", "min_members": 0},
        ),
        (["--max-members", "500"], "rule", {"max_members": 500}),
        (["--audience", "Hikers"], "saved", ["Hikers"]),
    ],
)
def test_groups_by_a_rule_or_a_saved_audience(manager, arguments, kind, values):
    make_group(name="Hikers").labels.set([Label.objects.create(name="North")])
    make_group(group_id="old", name="Old club", member_count=501)
    SavedAudience.objects.create(name="Hikers", stored_rule={"name_contains": "Hik"})

    code, out, _err = send("--content", "Hi", *arguments)

    sent = Notification.objects.get()
    assert (code, out) == (0, f"notification={sent.pk} groups=1\n")
    assert (sent.audience, sent.audience_values) == (kind, values)
    assert sent.deliveries.get().group_name == "Hikers"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--content", "Hi", "--group", "x"],
            "This ID is not in the list of groups: x",
        ),
        (["--content", " ", "--all"], "Write the message."),
        (
            ["--content", "Hi", "--all", "--recipient", ""],
            "Enter at least one member ID, or pick “Everyone in the group”.",
        ),
        (
            ["--content", "Hi", "--type", "AVChatRoom", "--recipient", "anna"],
            "All groups that fit are left out. Can only be sent to everyone: 1.",
        ),
        (["--content", "Hi"], ONE_WAY),
        (["--content", "Hi", "--all", "--type", "Public"], ONE_WAY),
        (["--content", "Hi", "--group", "live", "--audience", "x"], ONE_WAY),
        (
            ["--content", "Hi", "--audience", "West"],
            "The audience “West” no longer exists. Choose another.",
        ),
        (["--content", "Hi", "--label", "North"], "There is no label “North”."),
        (
            ["--content", "Hi", "--min-members", "9", "--max-members", "1"],
            "At most 1 is less than at least 9.",
        ),
    ],
)
def test_a_refusal_leaves_nothing_behind(manager, arguments, sentence):
    make_group(group_id="live", name="Live", type="AVChatRoom")

    code, out, err = send(*arguments)

    assert (out, Notification.objects.count()) == ("", 0)
    assert err.startswith(sentence)
    assert code == 2 or err.startswith("Error:")


def test_people_who_may_not_send_are_refused():
    make_group()
    make_user(permissions.AUDITOR)

    assert send("--content", "Hi", "--all")[::2] == (
        2,
        "Your login may not do this. Ask whoever gives out roles here.",
    )
    assert run("send_notification", "--as", "who", "--content", "x", "--all")[::2] == (
        2,
        "There is no active user “who”.",
    )
    assert Notification.objects.count() == 0


def test_the_text_may_come_from_a_file(manager, tmp_path):
    make_group()
    path = tmp_path / "text.txt"
    path.write_text("明天见\n", "utf-8")

    assert send("--content-file", str(path), "--all")[0] == 0
    assert Notification.objects.get().content == "明天见"


@pytest.mark.parametrize(
    ("endings", "code", "line"),
    [
        (["accepted"], 0, "accepted=1 failed=0 unconfirmed=0 cancelled=0"),
        (
            ["accepted", "failed", "unconfirmed"],
            1,
            "accepted=1 failed=1 unconfirmed=1 cancelled=0",
        ),
    ],
)
def test_wait_reports_the_result(manager, monkeypatch, endings, code, line):
    for number in range(len(endings)):
        make_group(group_id=f"g{number}", name=f"G{number}")

    def finish(_seconds: float) -> None:
        """Replace the sleep: do what a worker would do meanwhile."""
        notification = Notification.objects.get()
        for row, ending in zip(notification.deliveries.all(), endings, strict=True):
            Delivery.objects.filter(pk=row.pk).update(
                status=ending, **ending_fields(ending)
            )
        notification.complete()

    monkeypatch.setattr("time.sleep", finish)

    exit_code, out, _err = send("--content", "Hi", "--all", "--wait")

    assert (exit_code, out.splitlines()[1]) == (code, line)


def test_wait_ends_when_it_is_paused(manager, monkeypatch):
    """Its calls in progress have ended, too, and are counted."""
    for _n in range(2):
        make_group()
    steps = iter(["sending", "accepted"])

    def pause_then_answer(_seconds: float) -> None:
        notification = Notification.objects.get()
        first = notification.deliveries.order_by("pk")[:1]
        Delivery.objects.filter(pk__in=first.values("pk")).update(
            status=(status := next(steps)), **{"owner": None} | ending_fields(status)
        )
        if status == "sending":
            notification.pause(Notification.PauseReason.ACCOUNT_CODE, code=70009)

    monkeypatch.setattr("time.sleep", pause_then_answer)

    code, out, err = send("--content", "Hi", "--all", "--wait")

    assert code == 1
    assert out.splitlines()[1] == "accepted=1 failed=0 unconfirmed=0 cancelled=0"
    assert err.startswith(
        "No worker is running: the command waits until one is started."
    )
    assert err.endswith("is paused: account_code.")


def test_wait_goes_on_when_nothing_is_left_to_continue(manager, monkeypatch):
    """Paused during its last call: the worker completes it."""
    make_group()
    steps = iter(["pause", "complete"])

    def work(_seconds: float) -> None:
        notification = Notification.objects.get()
        if next(steps) == "pause":
            notification.deliveries.update(
                status="accepted", **ending_fields("accepted")
            )
            notification.pause(Notification.PauseReason.PERSON, by="lin.mei")
        else:
            notification.complete()

    monkeypatch.setattr("time.sleep", work)

    assert send("--content", "Hi", "--all", "--wait")[0] == 0
    assert next(steps, None) is None


def test_export_as_lines_of_json(tmp_path):
    delivery = make_delivery(status="failed", error_info="gone\n=1+1")
    make_attempt(delivery, outcome="rejected")
    make_delivery(status="accepted")
    path = tmp_path / "history.jsonl"

    assert run(
        "export_history", "--format", "jsonl", "--output", str(path),
        "--notification", str(delivery.notification_id),
    ) == (0, "", "Head of the seals: none\n")  # fmt: skip

    (row,) = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert row == {
        "delivery": delivery.pk,
        "notification": delivery.notification_id,
        "seal": None,
        "sent_again_of": None,
        "amends": None,
        "amended_delivery": None,
        "sender": "lin.mei",
        "written_by": "lin.mei",
        "by_superuser": False,
        "created_at": "2026-03-02T09:30:00+00:00",
        "content": delivery.notification.content,
        "note": "",
        "channel": "system_notification",
        "from_account": "",
        "group_id": delivery.group_id,
        "group_name": delivery.group_name,
        "group_type": "Public",
        "portion": 1,
        "recipients": [],
        "status": "failed",
        "error_code": 10010,
        "error_info": "gone\n=1+1",
        "reason": "",
        "finished_at": "2026-03-02T09:30:01+00:00",
        "random": None,
        "msg_seq": None,
        "msg_time": None,
        "drop_reason": "",
        "is_altered": False,
        "action_status": "FAIL",
        "queries": [],
        "attempts": [
            {
                "number": 1,
                "started_at": "2026-03-02T09:30:00+00:00",
                "finished_at": "2026-03-02T09:30:00.080000+00:00",
                "outcome": "rejected",
                "http_status": 200,
                "action_status": "FAIL",
                "error_code": 10010,
                "error_info": "group not exist or has been dismissed",
                "reason": "",
                "detail": "",
            }
        ],
    }
    assert list(tmp_path.iterdir()) == [path]


def test_a_refusal_by_the_last_step_leaves_no_draft(manager, monkeypatch):
    make_group(group_id="live", name="Live")

    def refuse(*_args, **_kwargs):
        assert Notification.objects.count() == 1
        raise ValidationError("A group was closed meanwhile.")

    monkeypatch.setattr(send_notification.services_send, "send", refuse)
    code, out, err = send("--content", "Hi", "--group", "live")

    assert (code, out, Notification.objects.count()) == (2, "", 0)
    assert "A group was closed meanwhile." in err


def test_export_as_csv_disarms_formulas():
    make_delivery(group=make_group(group_id="@TGS#1", name="=cmd()"))

    code, out, _err = run("export_history", "--format", "csv")

    header, row = csv.reader(io.StringIO(out.removeprefix("\ufeff")))
    assert (code, out[0]) == (0, "\ufeff")
    values = dict(zip(header, row, strict=True))
    assert (values["group_id"], values["group_name"]) == ("'@TGS#1", "'=cmd()")
    assert (values["status"], values["attempts"]) == ("queued", "[]")


def test_export_of_what_is_not_there(tmp_path):
    assert run("export_history", "--format", "csv", "--notification", "7") == (
        2,
        "",
        "There is no notification 7.",
    )
    code, _out, err = run(
        "export_history", "--format", "csv", "--output", str(tmp_path / "no" / "x.csv")
    )
    assert (code, "No such file" in err) == (2, True)


def test_export_takes_the_filters_of_the_page():
    live = make_group(name="直播间", type="AVChatRoom")
    row = make_delivery(group=live, status="failed", error_code=10007)
    make_delivery(group=live, status="accepted")
    make_delivery(status="unconfirmed")

    def exported(*filters: str) -> list[int]:
        code, out, _err = run("export_history", "--format", "jsonl", *filters)
        assert code == 0
        return [json.loads(line)["delivery"] for line in out.splitlines()]

    assert exported(
        "--from", "2026-03-02", "--to", "2026-03-02", "--status", "failed",
        "--type", "AVChatRoom", "--sender", "lin.mei", "--code", "10007",
        "--group", "直播",
    ) == [row.pk]  # fmt: skip
    assert exported("--group", "直播") == [row.pk, row.pk + 1]
    assert exported("--reason", "no_answer") == [row.pk + 2]
    assert exported("--from", "2026-03-03") == []


def test_export_names_the_option_that_makes_no_sense():
    assert run("export_history", "--format", "csv", "--from", "2026-13-45") == (
        2,
        "",
        "--from: There is no such day.",
    )
    assert run("export_history", "--format", "csv", "--group", "a\0b") == (
        2,
        "",
        "--group: Null characters are not allowed.",
    )
    assert AuditEntry.objects.count() == 0


def test_export_is_written_down_with_its_digest():
    make_delivery()

    _code, out, _err = run("export_history", "--format", "csv", "--status", "queued")

    first, last = AuditEntry.objects.order_by("id")
    assert (first.actor, first.detail) == (
        "export_history",
        {"format": "csv", "filters": {"status": "queued"}},
    )
    assert last.detail == {
        "rows": 1,
        "sha256": hashlib.sha256(out.encode()).hexdigest(),
        "completed": True,
    }
