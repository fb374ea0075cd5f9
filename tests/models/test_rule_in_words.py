"""A rule for chat groups in words."""

import pytest

from notifications.models import Rule


def test_all_conditions_in_words():
    rule = Rule(
        types=("AVChatRoom", "Topic"),
        labels=("North", "VIP"),
        name_contains="直播",
        min_members=100,
        max_members=5000,
        exceptions=("a", "b"),
    )

    assert rule.conditions() == [
        ("Types", "Live room, Topic"),
        ("Labels", "North, VIP"),
        ("Name contains", "直播"),
        ("Members", "100 to 5,000"),
        ("Except", "2 groups"),
    ]
    assert str(Rule(types=("Public",), exceptions=("a",))) == (
        "Types: Public · Except: 1 group"
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(min_members=1200), [("Members", "at least 1,200")]),
        (Rule(max_members=0), [("Members", "at most 0")]),
        (Rule(), []),
    ],
)
def test_what_is_not_asked_is_not_said(rule, words):
    assert rule.conditions() == words
