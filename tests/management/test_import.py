"""The command that imports groups: output and exit codes."""

import os

import pytest

from notifications.models import AuditEntry, ChatGroup
from tests.group_files import BAD_FILES
from tests.management.running import run

pytestmark = pytest.mark.django_db


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
    "Public,two words,\n"
    "Public,d,D\n"
    "Private,d,E\n"
    "Public,g,G\x01\n"
    "Public\n"
    f"Public,{'i' * 49},I\n"
    f"Public,j,{'J' * 101}\n"
)
NO_NAME = "Name: The name must have 1 to 100 characters, on one line."
NO_ID = "is no group ID: 1 to 48 letters, digits or signs, no spaces."
REASONS = [
    f"Line 2, {NO_NAME}",
    "Line 4, Type: “Publik” is not one of Private, Public, ChatRoom, AVChatRoom, "
    "BChatRoom, Community.",
    f"Line 5, Group ID: “two words” {NO_ID}",
    f"Line 5, {NO_NAME}",
    "Line 7, Group ID: “d” is on line 6 already.",
    f"Line 8, {NO_NAME}",
    f"Line 9, Group ID: “” {NO_ID}",
    f"Line 9, {NO_NAME}",
    f"Line 10, Group ID: “{'i' * 49}” {NO_ID}",
    f"Line 11, {NO_NAME}",
    "Some lines were rejected; see above.",
]


def test_bad_lines_are_named_and_nothing_is_written(import_file):
    code, out, err = import_file(BAD_LINES)

    assert (code, out) == (1, "added=0 updated=0 unchanged=0 rejected=8\n")
    assert err.splitlines() == REASONS
    assert ChatGroup.objects.count() == 0
    assert AuditEntry.objects.count() == 0


def test_bad_lines_are_left_out_on_request(import_file):
    code, out, _err = import_file(BAD_LINES, "--skip-invalid")

    assert (code, out) == (1, "added=1 updated=0 unchanged=0 rejected=8\n")
    assert ChatGroup.objects.get().group_id == "d"


def test_columns_that_are_not_read_are_named(import_file):
    code, out, err = import_file("id,type,name,state,备注\ng,Public,G,closed,x\n")

    assert (code, out, err) == (
        0,
        "added=1 updated=0 unchanged=0 rejected=0\n",
        "Ignored columns: state, 备注\n",
    )
    assert ChatGroup.objects.get().state == "in_use"


@pytest.mark.parametrize("count", ["-1", "1.5", "²", "many", "1234567890"])
def test_a_number_of_members_that_is_none(import_file, count):
    code, _out, err = import_file(
        f"group_id,type,name,member_count\ng,Public,G,{count}"
    )

    assert code == 1
    assert err.startswith(f"Line 2, Members: “{count}” is no number of members.")


@pytest.mark.parametrize("bad", BAD_FILES)
def test_a_file_that_cannot_be_used(import_file, bad):
    content, sentence = BAD_FILES[bad]
    assert import_file(content) == (2, "", sentence)
    assert ChatGroup.objects.count() == 0


def test_a_file_larger_than_the_page_takes(import_file):
    blank = " " * 100_000 + "\n"

    assert import_file("group_id,type,name\ng,Public,G\n" + blank * 105) == (
        0,
        "added=1 updated=0 unchanged=0 rejected=0\n",
        "",
    )


def test_a_pipe():
    read_end, write_end = os.pipe()
    os.write(write_end, GOOD.encode())
    os.close(write_end)

    assert run("import_chat_groups", f"/dev/fd/{read_end}")[:2] == (
        0,
        "added=2 updated=0 unchanged=0 rejected=0\n",
    )
    os.close(read_end)


def test_a_file_that_is_not_there(tmp_path):
    code, _out, err = run("import_chat_groups", str(tmp_path / "none.csv"))

    assert (code, "none.csv" in err) == (2, True)
