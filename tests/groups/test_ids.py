"""IDs as people type and paste them."""

import time
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError

from notifications.groups.ids import count_duplicates, split_group_ids
from notifications.ui.text import split_ids
from tests.factories import make_group


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ,，;； 、\n\t", []),
        ("anna", ["anna"]),
        (
            "anna,li；wang，zhao、qian sun\r\nzhou;wu",
            ["anna", "li", "wang", "zhao", "qian", "sun", "zhou", "wu"],
        ),
        ("b a b", ["b", "a", "b"]),
    ],
)
def test_split_ids(text, expected):
    assert split_ids(text) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("team,a", ["team,a"]),
        ("team,b", ["team", "b"]),
        ("x\nteam,a；y", ["x", "team", "a", "y"]),
        ("x team,a y;z", ["x", "team,a", "y", "z"]),
    ],
)
def test_the_id_of_a_group_may_hold_a_comma(text, expected):
    make_group(group_id="team,a")

    assert split_group_ids(text) == expected


@pytest.mark.django_db
def test_ids_without_commas_ask_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert split_group_ids("a b\nc") == ["a", "b", "c"]


@pytest.mark.django_db
@pytest.mark.parametrize("split", [split_ids, split_group_ids])
@pytest.mark.parametrize("text", ["a " * 100_001, "a," * 100_001, " ,a" * 100_001])
def test_a_list_has_an_end(split, text):
    with pytest.raises(ValidationError, match="More than 100,000 IDs at once"):
        split(text)


@pytest.mark.django_db
@pytest.mark.parametrize("separator", [", ", "， ", "a,", "x ", ",", "\n"])
def test_five_megabytes_take_little_time(separator):
    """10 MB took up to 55 s."""
    text = separator * (5_000_000 // len(separator.encode()))
    began = time.process_time()

    with suppress(ValidationError):
        split_group_ids(text)

    assert time.process_time() - began < 2


def test_repeated():
    assert [
        count_duplicates([]),
        count_duplicates(["a", "b"]),
        count_duplicates(["a", "b", "a", "a"]),
    ] == [
        0,
        0,
        1,
    ]
