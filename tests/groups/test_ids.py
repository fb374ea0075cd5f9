"""IDs as people type and paste them."""

import pytest

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
