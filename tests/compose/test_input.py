"""Validation of members, message and note."""

import pytest
from django.core.exceptions import ValidationError

from notifications.compose.recipients import clean_recipients
from notifications.compose.services.drafts import clean_content
from notifications.ui.text import clean_note

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  hello \r\n world\r", "hello \n world"),
        ("标签\t值", "标签\t值"),
        ("😀" * 2000, "😀" * 2000),  # 8000 bytes
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 8000, "x" * 8000),
        ("  " + "x" * 8000 + "\n", "x" * 8000),  # counted as it will be sent
        ("👩‍👩‍👧 \u200b", "👩‍👩‍👧 \u200b"),  # joined emoji need invisible signs
    ],
)
def test_content_is_kept(text, expected):
    assert clean_content(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write the message."),
        (" \n\u3000", "Write the message."),
        (
            "x" * 8001,
            "The message is 1 byte too long. A Chinese character counts as 3.",
        ),
        (
            "中" * 2682,
            "The message is 46 bytes too long. A Chinese character counts as 3.",
        ),
        (
            "ab\x00c",
            "Character 3 is a control character (U+0000), which no chat can show. "
            "Remove it.",
        ),
        (
            "\x7f",
            "Character 1 is a control character (U+007F), which no chat can show. "
            "Remove it.",
        ),
        (
            "a\x1b[31m",
            "Character 2 is a control character (U+001B), which no chat can show. "
            "Remove it.",
        ),
        (
            "a\u0085b",
            "Character 2 is a control character (U+0085), which no chat can show. "
            "Remove it.",
        ),
        (
            "a\ud800",
            "Character 2 is a control character (U+D800), which no chat can show. "
            "Remove it.",
        ),
    ],
)
def test_content_is_refused(text, sentence):
    with pytest.raises(ValidationError) as refused:
        clean_content(text)

    assert refused.value.messages == [sentence]


def test_the_limit_of_the_content_is_a_setting(settings):
    settings.IM_CONTENT_MAX_BYTES = 3

    assert clean_content("abc") == "abc"
    with pytest.raises(ValidationError, match="1 byte too long"):
        clean_content("abcd")


def test_a_note_is_one_line_of_200_characters():
    assert clean_note("  CM-431\n for  Lin ") == "CM-431 for Lin"
    with pytest.raises(ValidationError) as refused:
        clean_note("n" * 201)
    assert refused.value.messages == ["The note has 201 characters; the limit is 200."]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (None, None),
        (["anna", "li", "anna"], ["anna", "li"]),
        (["u" * 32], ["u" * 32]),
        ([f"u{n}" for n in range(500)], [f"u{n}" for n in range(500)]),
        (["u"] * 501, ["u"]),  # counted once each
    ],
)
def test_recipients_are_kept(ids, expected):
    assert clean_recipients(ids) == expected


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ([], "Enter at least one member ID, or pick “Everyone in the group”."),
        (["anna", "王五"], "Not a member ID: 王五"),
        (["u" * 33], "Not a member ID: " + "u" * 33),
        (["中" * 11], "Not a member ID: " + "中" * 11),  # 33 bytes
        (["a,b"], "Not a member ID: a,b"),
        (["a;b"], "Not a member ID: a;b"),
        (["a\x00b"], "Not a member ID: a\x00b"),
        (["a\tb"], "Not a member ID: a\tb"),
        (["", "a b"], "Not member IDs: , a b"),
        ([f"u{n}" for n in range(501)], "501 IDs entered; the limit is 500."),
        (
            [f"中{n}" for n in range(7)],
            "Not member IDs: 中0, 中1, 中2, 中3, 中4 and 2 more",
        ),
    ],
)
def test_recipients_are_refused(ids, sentence):
    with pytest.raises(ValidationError) as refused:
        clean_recipients(ids)

    assert refused.value.messages == [sentence]
