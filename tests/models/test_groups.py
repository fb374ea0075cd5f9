"""Groups by state and type, by a search term, by a rule; and the text of a rule."""

import pytest

from notifications.models import ChatGroup, Label, Rule
from tests.factories import make_group

pytestmark = pytest.mark.django_db


def ids(groups) -> set[str]:
    return set(groups.values_list("group_id", flat=True))


def test_usable_is_what_is_in_use_and_of_a_known_type():
    for group_type in ("Private", "Public", "ChatRoom", "AVChatRoom", "Community"):
        make_group(group_id=group_type, type=group_type)
    make_group(group_id="off", state="switched_off")
    make_group(group_id="closed", state="closed")
    make_group(group_id="new", type="Topic")
    groups = ChatGroup.objects

    assert ids(groups.unusable()) == {"off", "closed", "new"}
    assert ids(groups.usable()) == ids(groups.all()) - {"off", "closed", "new"}
    assert {g.group_id for g in groups.all() if g.is_usable} == ids(groups.usable())


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("直播", {"live"}),
        ("LIVE", {"live"}),
        ("friday SHOW", {"live"}),
        ("@tgs#l", {"live"}),
        ("walkers", {"hike"}),
        ("old name", {"hike"}),
        ("100%", {"sale"}),
        ("0%_o", {"sale"}),
        ("0_o", set()),
        ("_", {"sale"}),
        ("%", {"sale"}),
        ("live hike", set()),
        ("nothing", set()),
        ("w.lkers", set()),  # no pattern
        ("(", set()),
    ],
)
def test_a_search_covers_name_former_name_and_id(term, expected):
    make_group(group_id="@TGS#Live", name="直播间 Friday Show")
    make_group(group_id="hike", name="Walkers", former_names="Old Name\nOlder")
    make_group(group_id="sale", name="100%_o\\f")
    names = {"@TGS#Live": "live", "hike": "hike", "sale": "sale"}

    matching = ChatGroup.objects.matching(term)

    assert {names[group_id] for group_id in ids(matching)} == expected


def test_what_is_searched_follows_every_change():
    group = make_group(name="First", group_id="g")

    ChatGroup.objects.filter(pk=group.pk).update(name="Second")

    assert not ChatGroup.objects.matching("first").exists()
    assert ChatGroup.objects.matching("second").get() == group


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(), {"a", "b", "c", "off"}),
        (Rule(types=("AVChatRoom",)), {"a", "off"}),
        (Rule(types=("AVChatRoom", "Public")), {"a", "b", "off"}),
        (Rule(labels=("North",)), {"a", "b"}),
        (Rule(labels=("North", "VIP")), {"a", "b"}),
        (Rule(labels=("VIP",)), {"b"}),
        (Rule(types=("AVChatRoom",), labels=("North",)), {"a"}),
        (Rule(name_contains="直播"), {"a"}),
        (Rule(name_contains="RUN"), {"b"}),
        (Rule(min_members=10), {"b", "c", "off"}),
        (Rule(min_members=0, max_members=10), {"a", "b"}),
        (Rule(exceptions=("a", "off", "unknown")), {"b", "c"}),
    ],
)
def test_a_rule_selects_the_groups_that_meet_all_conditions(rule, expected):
    north, vip = (Label.objects.create(name=name) for name in ("North", "VIP"))
    make_group(group_id="a", type="AVChatRoom", name="直播", member_count=0)
    make_group(group_id="b", type="Public", name="Runners", member_count=10)
    make_group(group_id="c", type="ChatRoom", name="Talk", member_count=11)
    make_group(group_id="off", type="AVChatRoom", name="Off", state="switched_off")
    ChatGroup.objects.get(group_id="a").labels.add(north)
    ChatGroup.objects.get(group_id="b").labels.add(north, vip)

    assert ids(ChatGroup.objects.fitting(rule)) == expected
    assert Rule.from_json(rule.as_json()) == rule


def test_all_conditions_as_text():
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
    ("rule", "conditions"),
    [
        (Rule(min_members=1200), [("Members", "at least 1,200")]),
        (Rule(max_members=0), [("Members", "at most 0")]),
        (Rule(), []),
    ],
)
def test_empty_fields_are_no_conditions(rule, conditions):
    assert rule.conditions() == conditions
