"""Import, send and export from the command line: output, exit codes, nothing half-done."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notifications import conf, roles
from notifications.delivery.clock import machine_clock
from notifications.delivery.worker import SendWorker
from notifications.models import AuditEntry, ChatGroup, Delivery, Notification
from notifications.services.chat_groups import plan_import
from tests.factories import make_attempt, make_delivery, make_group, make_user

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def import_file(tmp_path):
    def run_import(content: str | bytes, *arguments: str):
        path = tmp_path / "groups.csv"
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(data)
        return run("import_chat_groups", str(path), *arguments)

    return run_import


GOOD = "group_id,type,name,member_count\n@TGS#1,Public,周末徒步,24\nlive,AVChatRoom,Live,\n"


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_groups_are_added_then_compared(import_file, start):
    assert import_file(start + GOOD) == (
        0,
        "added=2 updated=0 unchanged=0 rejected=0\n",
        "",
    )
    changed = GOOD.replace("周末徒步", "夜跑")
    assert import_file(start + changed)[1] == (
        "added=0 updated=1 unchanged=1 rejected=0\n"
    )
    assert set(ChatGroup.objects.values_list("group_id", "name", "member_count")) == {
        ("@TGS#1", "夜跑", 24),
        ("live", "Live", 0),
    }
    assert AuditEntry.objects.filter(action="imported").count() == 2


BAD_LINES = (
    "type,group_id,name\n"
    'Public,a,"two\nlines"\n'
    "Publik,b,B\n"
    "Public,two words,C\n"
    "Public,d,D\n"
    "Private,d,E\n"
    "Public,f,\n"
)
REASONS = [
    "line 2: The name must have 1 to 100 characters, on one line.",
    "line 4: “Publik” is not one of Private, Public, ChatRoom, AVChatRoom, BChatRoom.",
    "line 5: “two words” is no group ID: 1 to 48 letters, digits or signs, no spaces.",
    "line 7: “d” is on line 6 already.",
    "line 8: The name must have 1 to 100 characters, on one line.",
    "Some lines were rejected; see above.",
]


def test_bad_lines_are_named_and_nothing_is_written(import_file):
    code, out, err = import_file(BAD_LINES)

    assert (code, out) == (1, "added=0 updated=0 unchanged=0 rejected=5\n")
    assert err.splitlines() == REASONS
    assert ChatGroup.objects.count() == 0


def test_bad_lines_are_left_out_on_request(import_file):
    code, out, _err = import_file(BAD_LINES, "--skip-invalid")

    assert (code, out) == (1, "added=1 updated=0 unchanged=0 rejected=5\n")
    assert ChatGroup.objects.get().group_id == "d"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "",
            "The first line must name the columns. Missing: group_id, type, name",
        ),
        ("group_id,name\n", "The first line must name the columns. Missing: type"),
        (
            b"\xff\xfeg",
            "The file is not UTF-8 (byte 1). Save it as “CSV UTF-8”.",
        ),
        (b"x" * (10 * 1024 * 1024 + 1), "The file is larger than 10 MB. Split it."),
        (
            "group_id,type,name\n" + "g,Public,G\n" * 100_001,
            "The file has more than 100000 rows. Split it.",
        ),
    ],
)
def test_a_file_that_cannot_be_used(import_file, content, sentence):
    assert import_file(content) == (2, "", sentence)


@given(
    group_id=st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40
    ).filter(lambda text: text[0] != "'"),
    escaped=st.booleans(),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_id_comes_back_as_it_was_written(group_id, escaped):
    is_formula = group_id[0] in "=+-@"
    text = io.StringIO()
    csv.writer(text).writerows(
        [
            ["group_id", "type", "name"],
            ["'" + group_id if escaped and is_formula else group_id, "Public", "G"],
        ]
    )

    plan = plan_import(text.getvalue().encode())

    assert [group.group_id for group in plan.new] == [group_id]


@pytest.fixture
def manager():
    return make_user(roles.COMMUNITY_MANAGER)


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
    assert err == "1 --group given twice, counted once.\n"
    assert list(
        notification.deliveries.order_by("id").values_list("group_id", "recipients")
    ) == [("b", "anna\nli"), ("a", "anna\nli")]


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
            "Live can only be sent to everyone. Remove it, or pick “Everyone in the "
            "group”.",
        ),
        (["--content", "Hi"], "Error: one of the arguments --group --type --all is"),
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
    make_user(roles.AUDITOR)

    assert send("--content", "Hi", "--all")[::2] == (
        2,
        "Your login may not do this. Ask whoever gives out roles here.",
    )
    assert run("send_notification", "--as", "who", "--content", "x", "--all")[::2] == (
        2,
        "There is nobody called “who” who may log in.",
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
        """In place of the pause: what a worker would have done meanwhile."""
        notification = Notification.objects.get()
        for row, ending in zip(notification.deliveries.all(), endings, strict=True):
            Delivery.objects.filter(pk=row.pk).delete()
            make_delivery(notification, status=ending)
        notification.complete()

    monkeypatch.setattr("time.sleep", finish)

    found, out, _err = send("--content", "Hi", "--all", "--wait")

    assert (found, out.splitlines()[1]) == (code, line)


def test_wait_ends_when_it_is_paused(manager, monkeypatch):
    make_group()

    def pause(_seconds: float) -> None:
        Notification.objects.get().pause(
            Notification.PauseReason.ACCOUNT_CODE, code=70009
        )

    monkeypatch.setattr("time.sleep", pause)

    code, _out, err = send("--content", "Hi", "--all", "--wait")

    assert code == 1
    assert err.endswith("is paused: account_code.")


def test_export_as_lines_of_json(tmp_path):
    delivery = make_delivery(status="failed", error_info="gone\n=1+1")
    make_attempt(delivery, outcome="rejected")
    make_delivery(status="accepted")
    path = tmp_path / "history.jsonl"

    assert run(
        "export_history", "--format", "jsonl", "--output", str(path),
        "--notification", str(delivery.notification_id),
    ) == (0, "", "")  # fmt: skip

    (row,) = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert row == {
        "notification": delivery.notification_id,
        "group_id": delivery.group_id,
        "group_name": delivery.group_name,
        "group_type": "Public",
        "recipients": [],
        "content": delivery.notification.content,
        "sender": "lin.mei",
        "status": "failed",
        "reason": "",
        "error_code": 10010,
        "error_info": "gone\n=1+1",
        "created_at": "2026-03-02T09:30:00+00:00",
        "finished_at": "2026-03-02T09:30:01+00:00",
        "attempts": [
            {
                "started_at": "2026-03-02T09:30:00+00:00",
                "finished_at": "2026-03-02T09:30:00.080000+00:00",
                "http_status": 200,
                "error_code": 10010,
                "error_info": "group not exist or has been dismissed",
                "outcome": "rejected",
            }
        ],
    }
    assert list(tmp_path.iterdir()) == [path]


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


@pytest.mark.django_db(transaction=True)
def test_three_hundred_groups_from_the_file_to_the_export(
    sandbox, import_file, manager
):
    """Import, send, work, export: the journal and the export agree group by group."""
    types = ["Private", "Public", "ChatRoom", "AVChatRoom", "BChatRoom"]
    faults = ["", "", "", "code:10010", "code:10007", "reset_after", "html"]
    lines = ["group_id,type,name"]
    for number in range(300):
        kind = types[number % 5]
        sandbox.add_group(f"@TGS#{number}", kind, fault=faults[number % 7])
        lines.append(f"@TGS#{number},{kind},群组{number}")
    assert import_file("\n".join(lines))[0] == 0
    assert send("--content", "今晚维护", "--all")[0] == 0

    SendWorker(
        conf.connection(),
        machine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=16,
    ).run()

    _code, out, _err = run("export_history", "--format", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 300
    for row in rows:
        calls = sandbox.journal.calls_for(row["group_id"])
        assert len(calls) == len(row["attempts"]) == 1
        assert calls[0].content == row["content"] == "今晚维护"
        if row["status"] == "unconfirmed":
            assert (calls[0].error_code, row["error_code"]) == (None, None)
        else:
            assert calls[0].error_code == row["error_code"]
