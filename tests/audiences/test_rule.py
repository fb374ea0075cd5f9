"""Validation of a rule for chat groups."""

import pytest
from django.core.exceptions import ValidationError

from notifications.audiences.rule import clean_rule
from notifications.models import Label, Rule
from tests.factories import make_group

pytestmark = pytest.mark.django_db


def errors_of(rule: Rule) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        clean_rule(rule)
    return refused.value.message_dict


def test_a_rule_is_stored_without_duplicates_and_with_labels_as_they_are_spelt():
    Label.objects.create(name="North")
    Label.objects.create(name="VIP")
    make_group(group_id="@TGS#1")

    cleaned = clean_rule(
        Rule(
            types=("AVChatRoom", "Public", "Public"),
            labels=("vip", "north", "VIP"),
            name_contains=" 直播 ",
            min_members=100,
            max_members=100,
            exceptions=("@TGS#1", "@TGS#1"),
        )
    )

    assert cleaned == Rule(
        types=("Public", "AVChatRoom"),
        labels=("North", "VIP"),
        name_contains="直播",
        min_members=100,
        max_members=100,
        exceptions=("@TGS#1",),
    )


def test_errors_of_every_field():
    make_group(group_id="known")

    assert errors_of(
        Rule(
            types=("Nope",),
            labels=("East", "w\0st"),
            name_contains="x" * 101,
            min_members=-1,
            max_members=10**9,
            exceptions=("known", "王 五", "a b"),
        )
    ) == {
        "types": [
            "“Nope” is not one of Private, Public, ChatRoom, AVChatRoom, BChatRoom, "
            "Community."
        ],
        "labels": ["There are no labels “East”, “w\0st”."],
        "name_contains": ["No name has more than 100 characters; these are 101."],
        "min_members": ["-1 is not between 0 and 999999999."],
        "max_members": ["1000000000 is not between 0 and 999999999."],
        "exceptions": ["Not group IDs: 王 五, a b"],
    }


@pytest.mark.parametrize(
    ("rule", "problems"),
    [
        (
            Rule(min_members=5, max_members=4),
            {"max_members": ["At most 4 is less than at least 5."]},
        ),
        (
            Rule(name_contains="a\0b"),
            {"name_contains": ["This holds a control character. Remove it."]},
        ),
        (
            Rule(labels=tuple(f"L{n}" for n in range(101))),
            {"labels": ["101 labels are chosen; the limit is 100."]},
        ),
        (
            Rule(exceptions=tuple(f"g{n}" for n in range(501))),
            {"exceptions": ["501 IDs entered; the limit is 500."]},
        ),
        (
            Rule(exceptions=tuple(f"g{n}" for n in range(7))),
            {
                "exceptions": [
                    "These IDs are not in the list of groups: g0, g1, g2, g3, g4 and 2 more"
                ]
            },
        ),
        (
            Rule(name_contains="  "),
            {"__all__": ["Choose at least one condition, or send to every group."]},
        ),
    ],
)
def test_invalid_rules(rule, problems):
    assert errors_of(rule) == problems


def test_exceptions_alone_are_a_condition():
    make_group(group_id="a")

    assert clean_rule(Rule(exceptions=("a",))) == Rule(exceptions=("a",))
