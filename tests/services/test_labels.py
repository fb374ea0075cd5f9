"""Labels on many groups, renamed, deleted; and what the audit trail says of it."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from notifications import roles
from notifications.models import AuditEntry, ChatGroup, Label, Rule
from notifications.services import labels, saved_audiences
from tests.factories import make_group, make_user

pytestmark = pytest.mark.django_db

EVERY = ChatGroup.objects.all()


@pytest.fixture
def user():
    return make_user(roles.GROUP_ADMINISTRATOR, username="xu")


def entries() -> list[tuple[str, str, dict]]:
    return list(
        AuditEntry.objects.order_by("id").values_list("action", "actor", "detail")
    )


def labels_of(group_id: str) -> list[str]:
    return [
        label.name for label in ChatGroup.objects.get(group_id=group_id).labels.all()
    ]


def said(act, *args, **kwargs) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        act(*args, **kwargs)
    return refused.value.messages


def test_labels_are_put_on_and_taken_off(user):
    for group_id in "abc":
        make_group(group_id=group_id)
    labels.put_on(user, EVERY.filter(group_id="a"), ["North"])

    again = labels.put_on(user, EVERY.exclude(group_id="c"), ["north", "VIP"])
    none = labels.put_on(user, EVERY.filter(group_id="a"), ["NORTH"])
    off = labels.take_off(user, EVERY, ["VIP"])
    none_off = labels.take_off(user, EVERY, ["VIP", "unheard of"])

    assert (again, none, off, none_off) == (2, 0, 2, 0)
    assert [labels_of(group_id) for group_id in "abc"] == [["North"], ["North"], []]
    assert list(Label.objects.values_list("name", flat=True)) == ["North", "VIP"]
    assert entries() == [
        ("labels_put", "xu", {"labels": ["North"], "groups": 1, "named": ["a"]}),
        (
            "labels_put",
            "xu",
            {"labels": ["North", "VIP"], "groups": 2, "named": ["a", "b"]},
        ),
        ("labels_taken", "xu", {"labels": ["VIP"], "groups": 2, "named": ["a", "b"]}),
    ]


def test_a_filter_by_label_means_the_groups_of_the_beginning(user):
    make_group(group_id="a")
    make_group(group_id="b")
    labels.put_on(user, EVERY, ["Old"])
    old = EVERY.filter(labels__name="Old")

    labels.put_on(user, EVERY.exclude(labels__name="New"), ["New", "Other"])
    labels.take_off(user, old, ["Old"])

    assert [labels_of(group_id) for group_id in "ab"] == [["New", "Other"]] * 2


def test_only_the_first_thousand_groups_are_named(user):
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"g{n}", name="x", type="Public") for n in range(1002)
    )

    assert labels.put_on(user, EVERY, ["All"]) == 1002
    assert labels.take_off(user, EVERY, ["All"]) == 1002

    found = [detail for _action, _actor, detail in entries()]
    assert [(d["groups"], len(d["named"]), d["named"][-1]) for d in found] == [
        (1002, 1000, "g999")
    ] * 2


def test_one_group_gets_exactly_its_labels(user):
    group = make_group(group_id="a")
    labels.set_labels(user, group, ["North", "VIP"])

    labels.set_labels(user, group, ["vip", "West"])

    assert labels_of("a") == ["VIP", "West"]
    labels.set_labels(user, group, [])
    assert labels_of("a") == []
    assert [action for action, _actor, _detail in entries()] == [
        "labels_put", "labels_taken", "labels_put", "labels_taken"
    ]  # fmt: skip


def test_what_is_no_label_is_said(user):
    make_group()

    assert said(labels.put_on, user, EVERY, []) == [
        "Choose a label, or write a new one."
    ]
    assert said(labels.put_on, user, EVERY, ["a,b"]) == [
        "The label “a,b” has a comma, semicolon or stroke. Leave it out."
    ]
    assert said(labels.take_off, user, EVERY, []) == ["Choose a label."]
    assert (Label.objects.count(), entries()) == (0, [])


def test_a_renamed_label_stays_in_the_audiences_that_ask_for_it(user):
    make_group(group_id="a")
    labels.put_on(user, EVERY, ["North", "VIP"])
    saved = saved_audiences.save(user, "N", Rule(labels=("VIP", "North")))
    label = Label.objects.get(name="North")

    labels.rename(user, label.pk, " Zone  north ")
    labels.rename(user, label.pk, "Zone north")

    saved.refresh_from_db()
    assert saved.rule == Rule(labels=("VIP", "Zone north"))
    assert entries()[2:] == [
        ("label_renamed", "xu", {"label": "North", "new": "Zone north"})
    ]
    assert said(labels.rename, user, label.pk, "vip") == [
        "There is a label “VIP” already."
    ]
    assert labels.rename(user, label.pk, "ZONE NORTH").name == "ZONE NORTH"


def test_a_label_that_an_audience_asks_for_is_not_deleted(user):
    make_group(group_id="a")
    labels.put_on(user, EVERY, ["North", "VIP"])
    for name in ("B", "A"):
        saved_audiences.save(user, name, Rule(labels=("North",)))
    north, vip = Label.objects.order_by("name")

    assert said(labels.delete, user, north.pk) == [
        "Audiences use this label: A, B. Change them first."
    ]
    labels.delete(user, vip.pk)

    assert labels_of("a") == ["North"]
    assert entries()[-1] == ("label_deleted", "xu", {"label": "VIP", "groups": 1})


def test_who_may_not_change_groups_changes_no_label():
    manager = make_user(roles.COMMUNITY_MANAGER)
    group = make_group()
    label = Label.objects.create(name="North")

    for act in (
        lambda: labels.put_on(manager, EVERY, ["North"]),
        lambda: labels.take_off(manager, EVERY, ["North"]),
        lambda: labels.set_labels(manager, group, ["North"]),
        lambda: labels.rename(manager, label.pk, "South"),
        lambda: labels.delete(manager, label.pk),
    ):
        with pytest.raises(PermissionDenied):
            act()

    assert labels_of(group.group_id) == []
    assert Label.objects.get().name == "North"
