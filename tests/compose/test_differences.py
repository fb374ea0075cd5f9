"""The differences between what Check showed and the present values, in words."""

import pytest

from notifications import permissions
from notifications.compose.checked import checked_of, sign, unsign
from notifications.compose.differences import ChangedValue, differences
from notifications.models import ChatGroup, Notification, SavedAudience
from tests.factories import make_group, make_notification, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def person():
    return make_user(permissions.COMMUNITY_MANAGER)


def shown(person):
    """As it comes back from the form."""
    return unsign(sign(checked_of(person, Notification.objects.get()).shown()))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"content": "TWO"}, ChangedValue("Message", "ONE", "TWO", [])),
        ({"note": "CM-1"}, ChangedValue("Note", "", "CM-1", [])),
        (
            {"recipients": ""},
            ChangedValue("Members", "anna, li", "Everyone in the group", []),
        ),
        (
            {"recipients": "li\nwu"},
            ChangedValue(
                "Members", "anna, li", "li, wu", ["Added: wu", "Removed: anna"]
            ),
        ),
        (
            {"written_by_name": "j.okafor"},
            ChangedValue("Written by", "lin.mei", "j.okafor", []),
        ),
        (
            {"channel": "group_message", "message_options": ""},
            ChangedValue("Channel", "System notification", "Group message", []),
        ),
        (
            {"audience_values": {"name_contains": "club"}},
            ChangedValue(
                "Send to",
                "Groups by type, label or name: Types: Public",
                "Groups by type, label or name: Name contains: club",
                [],
            ),
        ),
    ],
)
def test_a_changed_draft(person, change, expected):
    make_group(name="A club")
    make_notification(
        sender=person,
        content="ONE",
        recipients="anna\nli",
        audience="rule",
        audience_values={"types": ["Public"]},
    )
    before = shown(person)
    assert differences(before, before) == []
    Notification.objects.update(**change)

    assert differences(before, shown(person)) == [expected]


def test_changed_groups_are_named(person):
    names = ["Gone", "Old", "Talk", "Same"]
    groups = {name: make_group(group_id=name, name=name) for name in names}
    make_notification(sender=person, audience="every")
    before = shown(person)
    make_group(name="New")
    rows = ChatGroup.objects
    rows.filter(pk=groups["Gone"].pk).update(state="closed")
    rows.filter(pk=groups["Old"].pk).update(name="Newer")
    rows.filter(pk=groups["Talk"].pk).update(type="AVChatRoom")

    included, left_out = differences(before, shown(person))

    assert included == ChangedValue(
        "Groups",
        "4 groups",
        "4 groups",
        [
            "Added: New",
            "Removed: Gone",
            "Renamed: Old → Newer",
            "Changed: Talk (Public → Live room)",
        ],
    )
    assert left_out == ChangedValue(
        "Groups left out", "0 groups", "1 group", ["Added: Gone"]
    )


def test_a_group_left_out_for_another_reason(person):
    make_group()
    make_group(group_id="off", name="Off", state="switched_off")
    make_notification(sender=person, audience="every")
    before = shown(person)
    ChatGroup.objects.filter(group_id="off").update(state="closed")

    assert differences(before, shown(person)) == [
        ChangedValue(
            "Groups left out",
            "1 group",
            "1 group",
            ["Changed: Off (Switched off → Closed)"],
        )
    ]


def test_another_order_of_the_same_groups(person):
    ids = [make_group().group_id for _n in range(2)]
    make_notification(sender=person, audience="chosen", audience_values=ids)
    before = shown(person)
    Notification.objects.update(audience_values=ids[::-1])

    assert differences(before, shown(person)) == [
        ChangedValue(
            "Groups", "2 groups", "2 groups", ["The order of the groups changed."]
        )
    ]


def test_another_order_beside_another_text(person):
    ids = [make_group().group_id for _n in range(2)]
    make_notification(
        sender=person, content="ONE", audience="chosen", audience_values=ids
    )
    before = shown(person)
    Notification.objects.update(audience_values=ids[::-1], content="TWO")

    assert [d.changes for d in differences(before, shown(person))] == [
        [],
        ["The order of the groups changed."],
    ]


def test_another_order_of_members_beyond_those_that_are_named(person):
    make_group()
    members = [f"m{n}" for n in range(30)]
    make_notification(sender=person, recipients="\n".join(members), audience="every")
    before = shown(person)
    members[28:] = ["m29", "m28", "new"]
    Notification.objects.update(recipients="\n".join(members))

    (difference,) = differences(before, shown(person))

    assert difference.changes == ["Added: new", "The order of the members changed."]


def test_excepted_groups_beyond_those_that_are_named(person):
    ids = [f"g{n}" for n in range(8)]
    for group_id in ids:
        make_group(group_id=group_id, name=group_id.upper())
    make_group(group_id="h")
    rule = {"types": ["Public"], "exceptions": ids[:7]}
    make_notification(sender=person, audience="rule", audience_values=rule)
    before = shown(person)
    ChatGroup.objects.filter(group_id="g5").update(name="New name")
    rule["exceptions"] = [*ids[:6], "g7"]
    Notification.objects.update(audience_values=rule)

    by_label = {d.label: d for d in differences(before, shown(person))}

    assert by_label["Excepted by name"].changes == [
        "Added: G7",
        "Removed: G6",
        "Renamed: G5 → New name",
    ]


def test_a_saved_audience_with_another_rule_and_the_same_groups(person):
    make_group(name="A club")
    saved = SavedAudience.objects.create(
        name="Clubs", stored_rule={"types": ["Public"]}
    )
    make_notification(sender=person, audience="saved", audience_values=["Clubs"])
    before = shown(person)
    saved.stored_rule = {"name_contains": "club"}
    saved.save()

    (difference,) = differences(before, shown(person))

    assert (difference.before, difference.after) == (
        "A saved audience: Clubs: Types: Public",
        "A saved audience: Clubs: Name contains: club",
    )


def test_a_long_list_is_compared_without_names(person, monkeypatch):
    monkeypatch.setattr("notifications.compose.checked.MAX_LISTED", 1)
    make_group()
    make_notification(sender=person, audience="every")
    before = shown(person)
    make_group()

    (difference,) = differences(before, shown(person))

    assert (difference.before, difference.after) == ("1 group", "2 groups")
    assert difference.changes == ["The list is too long to name what changed in it."]


def test_a_person_who_became_a_superuser(person):
    make_group()
    make_notification(sender=person, audience="every")
    before = shown(person)
    person.is_superuser = True

    (difference,) = differences(before, shown(person))

    assert (difference.before, difference.after) == (
        "lin.mei",
        "lin.mei · may do everything",
    )


@pytest.mark.parametrize("text", ["", "x", "王五", "a:b:c"])
def test_only_signed_values_are_read(text):
    assert unsign(text) is None


def test_changed_options_of_a_message(person):
    make_group(name="A club")
    draft = make_notification(sender=person, channel="group_message")
    before = shown(person)
    draft.message_options = '{"mention_all": true, "priority": "High"}'
    draft.save()

    assert differences(before, shown(person)) == [
        ChangedValue("Options", "", "Mention everyone (@all): Yes\nPriority: High", [])
    ]
