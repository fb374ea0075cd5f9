"""What a label may look like."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from notifications.groups.label_names import clean_label, split_labels

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("name", "label"),
    [
        (" 华东 ", "华东"),
        ("North\t  East", "North East"),
        ("a" * 50, "a" * 50),
        ("=1+1", "=1+1"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_a_label_is_tidied(name, label):
    assert clean_label(name) == label


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Write the label."),
        (" \n", "Write the label."),
        (
            "b" * 51,
            f"The label “{'b' * 50}…” has 51 characters; the limit is 50.",
        ),
        *(
            (
                f"a{mark}b",
                f"The label “a{mark}b” has a comma, semicolon or stroke. Leave it out.",
            )
            for mark in ",;|，；、｜"
        ),
        ("a\x00b", "The label “a\x00b” has a character that cannot be shown."),
    ],
)
def test_what_is_no_label_is_named(name, sentence):
    with pytest.raises(ValidationError) as caught:
        clean_label(name)
    assert caught.value.messages == [sentence]


def test_labels_in_one_line_are_cut_at_any_separator():
    assert split_labels("华东、华南，VIP; new|old,vip；;") == [
        "华东",
        "华南",
        "VIP",
        "new",
        "old",
    ]
    assert split_labels("  ") == []


def test_all_that_is_wrong_in_a_line_is_said():
    with pytest.raises(ValidationError) as caught:
        split_labels(f"good;a\x00b;{'c' * 51}")
    assert caught.value.messages == [
        "The label “a\x00b” has a character that cannot be shown.",
        f"The label “{'c' * 50}…” has 51 characters; the limit is 50.",
    ]


@given(st.text())
def test_what_was_cut_is_cut_the_same_again(text):
    try:
        labels = split_labels(text)
    except ValidationError:
        return
    assert split_labels("; ".join(labels)) == labels
    assert [clean_label(label) for label in labels] == labels
