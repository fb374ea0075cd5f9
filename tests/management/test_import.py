"""Groups from a CSV file: what is read, what is refused, what comes back."""

import csv
import io

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from notifications.models import AuditEntry, ChatGroup, GroupType
from notifications.services.chat_groups import plan_import
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
    "Public,two words,C\n"
    "Public,d,D\n"
    "Private,d,E\n"
    "Public,f,\n"
    "Public,g\x00,G\n"
    "Public,h,H\x00\n"
    "Public\n"
    f"Public,{'i' * 49},I\n"
    f"Public,j,{'J' * 101}\n"
)
REASONS = [
    "line 2: The name must have 1 to 100 characters, on one line.",
    "line 4: “Publik” is not one of Private, Public, ChatRoom, AVChatRoom, BChatRoom, "
    "Community.",
    "line 5: “two words” is no group ID: 1 to 48 letters, digits or signs, no spaces.",
    "line 7: “d” is on line 6 already.",
    "line 8: The name must have 1 to 100 characters, on one line.",
    "line 9: “g\x00” is no group ID: 1 to 48 letters, digits or signs, no spaces.",
    "line 10: The name must have 1 to 100 characters, on one line.",
    "line 11: “” is no group ID: 1 to 48 letters, digits or signs, no spaces.",
    f"line 12: “{'i' * 49}” is no group ID: 1 to 48 letters, digits or signs, no "
    "spaces.",
    "line 13: The name must have 1 to 100 characters, on one line.",
    "Some lines were rejected; see above.",
]


def test_bad_lines_are_named_and_nothing_is_written(import_file):
    code, out, err = import_file(BAD_LINES)

    assert (code, out) == (1, "added=0 updated=0 unchanged=0 rejected=10\n")
    assert err.splitlines() == REASONS
    assert ChatGroup.objects.count() == 0


def test_bad_lines_are_left_out_on_request(import_file):
    code, out, _err = import_file(BAD_LINES, "--skip-invalid")

    assert (code, out) == (1, "added=1 updated=0 unchanged=0 rejected=10\n")
    assert ChatGroup.objects.get().group_id == "d"


def test_a_file_with_a_header_only_changes_nothing(import_file):
    assert import_file("group_id,type,name\n\n , ,\n") == (
        0,
        "added=0 updated=0 unchanged=0 rejected=0\n",
        "",
    )
    assert ChatGroup.objects.count() == 0


@pytest.mark.parametrize("count", ["-1", "1.5", "²", "many", "1234567890"])
def test_a_number_of_members_that_is_none(import_file, count):
    code, _out, err = import_file(
        f"group_id,type,name,member_count\ng,Public,G,{count}"
    )

    assert code == 1
    assert err.startswith(f"line 2: “{count}” is no number of members.")


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
        (
            "group_id,type,name\ng,Public,周末\n".encode("gb18030"),
            "The file is not UTF-8 (byte 29). Save it as “CSV UTF-8”.",
        ),
        (
            "group_id,type,name\ng,Public,G\n".encode("utf-16"),
            "The file is not UTF-8 (byte 1). Save it as “CSV UTF-8”.",
        ),
        (
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
            "The file is not UTF-8 (byte 1). Save it as “CSV UTF-8”.",
        ),
        (
            b"PK\x03\x04\x00\x00",
            "The first line must name the columns. Missing: group_id, type, name",
        ),
        (
            "\n\n",
            "The first line must name the columns. Missing: group_id, type, name",
        ),
        (
            'group_id,type,name\ng,Public,"' + "x" * 140_000,
            "Line 2 cannot be read. Is a quotation mark missing?",
        ),
        ('"' + "x" * 140_000, "Line 1 cannot be read. Is a quotation mark missing?"),
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


GROUPS = st.lists(
    st.tuples(
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
        .map(lambda text: text[:48])
        .filter(lambda text: text[0] != "'"),
        st.sampled_from(GroupType.values),
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
        .map(lambda text: text[:100].strip())
        .filter(bool),
        st.integers(0, 10**9 - 1),
    ),
    unique_by=lambda row: row[0],
    max_size=20,
)


@given(rows=GROUPS, mark=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_a_list_of_groups_comes_back_as_it_was_written(rows, mark, end):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(["group_id", "type", "name", "member_count"])
    writer.writerows(rows)

    plan = plan_import((("\ufeff" if mark else "") + text.getvalue()).encode())

    assert plan.rejected == []
    assert [(g.group_id, g.type, g.name, g.member_count) for g in plan.new] == rows


HEADER = b"group_id,type,name\n"


@given(
    content=st.binary()
    | st.binary().map(HEADER.__add__)
    | st.text().map(lambda text: HEADER + text.encode("utf-8", "replace"))
    | st.text(alphabet='",\n\r\x00ab').map(lambda text: HEADER + text.encode())
)
def test_no_bytes_raise_anything_but_a_refusal(content):
    try:
        plan = plan_import(content)
    except ValidationError:
        return
    for group in plan.new:
        group.full_clean()
    assert all(line >= 2 and reason for line, reason in plan.rejected)
