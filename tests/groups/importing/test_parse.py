"""What is read of a file of groups: encodings, separators, headings, cells."""

from typing import NamedTuple

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.groups.importing import parse, rows
from notifications.groups.importing.parse import check_file, column_of, group_type_of
from notifications.groups.importing.rows import Row, RowProblem
from notifications.models import ChatGroup, GroupType
from tests.group_files import ENGLISH, HEADER, TOO_LONG, opened, text_of

pytestmark = pytest.mark.one_database

CHINESE = ("群组ID", "群类型", "群名称", "人数")
PAGE = ("Group ID", "TYPE", "Name", "Members")
TENCENT = ("GroupId", "Type", "Name", "MemberNum")
ROWS = [
    ["@TGS#1", "Public", "周末, 徒步", "24"],
    ["live", "AVChatRoom", "直播；间", ""],
]
READ = [
    Row(2, "@TGS#1", "Public", "周末, 徒步", 24, None),
    Row(3, "live", "AVChatRoom", "直播；间", None, None),
]


class Parsed(NamedTuple):
    """The content of a whole file."""

    encoding: str
    ignored: list[str]
    rows: list[Row]
    problems: list[RowProblem]


def parse_rows(raw: bytes) -> Parsed:
    file = opened(raw)
    blocks = list(rows.parse_rows(file))
    return Parsed(
        file.encoding,
        file.ignored,
        [row for block in blocks for row in block.rows],
        [problem for block in blocks for problem in block.problems],
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("headings", [ENGLISH, CHINESE, PAGE, TENCENT])
def test_every_separator_with_headings_in_every_language(separator, headings):
    parsed = parse_rows(text_of(ROWS, headings, separator).encode())

    assert (parsed.rows, parsed.problems, parsed.ignored) == (READ, [], [])


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("gb18030", "GB 18030"),
    ],
)
def test_every_encoding(encoding, name):
    parsed = parse_rows(text_of(ROWS, CHINESE, "\t").encode(encoding))

    assert (parsed.encoding, parsed.rows) == (name, READ)


def test_what_excel_saves_as_csv_in_china():
    """As Excel 2021 (Chinese) writes "CSV (comma delimited)"."""
    raw = (
        b"\xc8\xba\xd7\xe9ID,\xc0\xe0\xd0\xcd,\xc3\xfb\xb3\xc6,\xb1\xea\xc7\xa9\r\n"
        b"@TGS#1,\xd6\xb1\xb2\xa5\xc8\xba,\xc0\xee\xbd\xe3\xbf\xaa\xb2\xa5,"
        b"\xbb\xaa\xb6\xab\xa1\xa2VIP\r\n"
    )

    assert parse_rows(raw).rows == [
        Row(2, "@TGS#1", "AVChatRoom", "李姐开播", None, ("华东", "VIP"))
    ]


def test_one_line_too_many_is_refused():
    check_file(HEADER + b"g,Public,G\n\nh,Public,H\n", max_rows=2)

    with pytest.raises(ValidationError) as caught:
        check_file(HEADER + b"g,Public,G\nh,Public,H\ni,Public,I\n", max_rows=2)
    assert caught.value.messages == [TOO_LONG]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("piece", [1, 2, 3, 5])
def test_a_character_in_two_pieces(encoding, piece, monkeypatch):
    monkeypatch.setattr(parse, "PIECE", max(piece, 2 if encoding == "utf-16" else 1))

    assert parse_rows(text_of(ROWS, CHINESE, "\t").encode(encoding)).rows == READ


@pytest.mark.parametrize("piece", [1, 3, 28, 29, 100])
@pytest.mark.parametrize(
    ("content", "number"),
    [
        (HEADER + b"g,Public,\xff\n", 29),
        (HEADER + "群,Public,".encode("gb18030") + b"\xff\n", 30),
        (HEADER + "群,Public,".encode("gb18030") + b"\x81", 30),
    ],
)
def test_the_first_byte_that_cannot_be_read(content, number, piece, monkeypatch):
    monkeypatch.setattr(parse, "PIECE", piece)

    with pytest.raises(ValidationError, match=rf"\(byte {number}\)"):
        parse_rows(content)


def test_columns_in_any_order_and_others_are_named():
    parsed = parse_rows(
        "备注,NAME,labels,状态,Type,id,Checked at,\n"
        'x,Hikers,"East, VIP",closed,public,g,2026-03-02,\n'.encode()
    )

    assert parsed.ignored == ["备注", "状态", "Checked at"]
    assert parsed.rows == [Row(2, "g", "Public", "Hikers", None, ("East", "VIP"))]


def test_blank_lines_count_but_are_left_out():
    parsed = parse_rows(b'\n\ngroup_id,type,name\n\n , ,\ng,Public,"G"\n')

    assert [row.line for row in parsed.rows] == [6]


def test_what_is_wrong_with_a_line_is_said_for_each_cell():
    parsed = parse_rows(
        b"group_id,type,name,member_count,labels\n"
        b"two words,,,many,a\x01b\n"
        b"g,Nope,G,1,\n"
        b"h,Public,H,1\n"
        b"h,Public,H\n"
        b"i,Public,one,two,x,y\n"
        b"k,Nope,,1,\n"
        b"j,Public,J,1,,,\n"
    )

    assert [str(problem) for problem in parsed.problems] == [
        "Line 2, Group ID: “two words” is no group ID: 1 to 48 letters, digits or "
        "signs, no spaces.",
        "Line 2, Type: It is empty. Write one of Private, Public, ChatRoom, "
        "AVChatRoom, BChatRoom, Community.",
        "Line 2, Name: The name must have 1 to 100 characters, on one line.",
        "Line 2, Members: “many” is no number of members.",
        "Line 2, Labels: The label “a\x01b” has a character that cannot be shown.",
        "Line 5, Group ID: “h” is on line 4 already.",
        "Line 6: It has 6 cells, but there are 5 headings. A text with a comma in it "
        "must stand between quotation marks.",
        "Line 7, Name: The name must have 1 to 100 characters, on one line.",
        "Line 7, Type: “Nope” is not one of Private, Public, ChatRoom, AVChatRoom, "
        "BChatRoom, Community.",
    ]
    # Whether an unknown type is wrong depends on the group.
    assert [(row.group_id, row.type) for row in parsed.rows] == [
        ("g", "Nope"),
        ("h", "Public"),
        ("j", "Public"),
    ]


def test_a_second_line_of_a_group_is_wrong_even_where_the_first_is():
    parsed = parse_rows(HEADER + b"g,Public,\ng,Public,G\n")

    assert [(problem.line, problem.column) for problem in parsed.problems] == [
        (2, "name"),
        (3, "group_id"),
    ]
    assert parsed.rows == []


@pytest.mark.parametrize("block", [1, 2, 3, 5])
def test_a_second_line_of_a_group_in_another_block(block, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", block)

    parsed = parse_rows(
        HEADER + b"g,Public,G\nh,Public,H\ng,Nope,G\ni,Public,I\ng,Public,G\n"
    )

    assert [str(problem) for problem in parsed.problems] == [
        "Line 4, Group ID: “g” is on line 2 already.",
        "Line 4, Type: “Nope” is not one of Private, Public, ChatRoom, AVChatRoom, "
        "BChatRoom, Community.",
        "Line 6, Group ID: “g” is on line 2 already.",
    ]
    assert [row.group_id for row in parsed.rows] == ["g", "h", "i"]


def test_a_long_cell_is_cut_in_its_sentence():
    problem = parse_rows(HEADER + b"x" * 1000 + b",Public,G\n").problems[0]

    assert problem == RowProblem(
        2,
        "group_id",
        f"“{'x' * 80}…” is no group ID: 1 to 48 letters, digits or signs, no spaces.",
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_words_of_the_page_are_read(language):
    with translation.override(language):
        words = {
            field.name: str(field.verbose_name) for field in ChatGroup._meta.fields
        }
        assert {
            name: column_of(words[name])
            for name in ("group_id", "name", "type", "member_count", "state")
        } == {
            name: name for name in ("group_id", "name", "type", "member_count", "state")
        }
        assert column_of(words["checked_at"]) == "checked_at"
        assert {
            group_type_of(str(label)) for _value, label in GroupType.choices
        } == set(GroupType.values)


@pytest.mark.parametrize(
    ("word", "group_type"),
    [
        ("AVCHATROOM", "AVChatRoom"),
        ("av chat room", "AVChatRoom"),
        ("Work", "Private"),
        ("meeting", "ChatRoom"),
        ("Private (Work)", "Private"),
        ("chat room", "ChatRoom"),
        ("live room", "AVChatRoom"),
        ("好友工作群", "Private"),
        ("临时会议群", "ChatRoom"),
        ("社群", "Community"),
        ("ＰＵＢＬＩＣ", "Public"),
        ("Nope", None),
        ("", None),
    ],
)
def test_a_type_by_any_of_its_words(word, group_type):
    assert group_type_of(word) == group_type


@given(
    content=st.binary()
    | st.binary().map(HEADER.__add__)
    | st.text().map(lambda text: HEADER + text.encode("utf-8", "replace"))
    | st.text().map(lambda text: text.encode("gb18030", "replace"))
    | st.text(alphabet='",;\n\r\x00ab').map(lambda text: HEADER + text.encode())
)
@example(HEADER + b'g,Public,"' + b"x" * 200_000)  # larger than csv reads
def test_no_bytes_raise_anything_but_a_refusal(content):
    try:
        parsed = parse_rows(content)
    except ValidationError:
        return
    for row in parsed.rows:
        group = ChatGroup(group_id=row.group_id, type=row.type, name=row.name)
        group.clean_fields(exclude=["type"])
    assert all(problem.line >= 2 and problem.sentence for problem in parsed.problems)
