"""Labels on many groups, renamed, deleted; and what the audit trail says of it."""

import hashlib
import json
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from notifications import permissions
from notifications.audiences import saved as audiences_saved
from notifications.groups import labels as groups_labels
from notifications.groups import services as groups_services
from notifications.models import AuditEntry, ChatGroup, Label, Rule
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

EVERY = ChatGroup.objects.all()


@pytest.fixture
def user():
    return make_user(permissions.GROUP_ADMINISTRATOR, username="xu")


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


def test_an_entry_names_a_hundred_labels(user):
    make_group(group_id="a")
    names = [f"L{n:03}" for n in range(150)]

    groups_labels.add_labels(user, EVERY, names)
    groups_labels.remove_labels(user, EVERY, names)

    for _word, _actor, detail in entries():
        assert (detail["labels"], detail["labels_count"]) == (names[:100], 150)
        text = "".join(f"{name}\n" for name in names)
        assert detail["labels_digest"] == hashlib.sha256(text.encode()).hexdigest()


def test_labels_are_put_on_and_taken_off(user):
    for group_id in "abc":
        make_group(group_id=group_id)
    groups_labels.add_labels(user, EVERY.filter(group_id="a"), ["North"])

    again = groups_labels.add_labels(
        user, EVERY.exclude(group_id="c"), ["north", "VIP"]
    )
    none = groups_labels.add_labels(user, EVERY.filter(group_id="a"), ["NORTH"])
    off = groups_labels.remove_labels(user, EVERY, ["VIP"])
    none_off = groups_labels.remove_labels(user, EVERY, ["VIP", "unheard of"])

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
    groups_labels.add_labels(user, EVERY, ["Old"])
    old = EVERY.filter(labels__name="Old")

    groups_labels.add_labels(user, EVERY.exclude(labels__name="New"), ["New", "Other"])
    groups_labels.remove_labels(user, old, ["Old"])

    assert [labels_of(group_id) for group_id in "ab"] == [["New", "Other"]] * 2


def test_an_entry_names_the_first_groups_and_has_a_digest_of_all(user):
    group_ids = [f"g{n}" for n in range(1002)]
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=group_id, name="x", type="Public") for group_id in group_ids
    )
    changes = (
        partial(groups_labels.add_labels, names=["All"], filters={"type": "Public"}),
        partial(groups_labels.remove_labels, names=["All"], filters={}),
        partial(groups_services.switch_off, filters={"type": "Public"}),
        groups_services.switch_on,
    )

    counts = [change(user, EVERY) for change in changes]

    assert counts == [1002] * 4
    lines = "".join(f"{group_id}\n" for group_id in sorted(group_ids))
    details = [detail for _action, _actor, detail in entries()]
    for detail in details:
        assert detail["groups"] == 1002
        assert detail["named"] == sorted(group_ids)[:100]
        assert detail["digest"] == hashlib.sha256(lines.encode()).hexdigest()
        assert len(json.dumps(detail)) < 2000
    assert [detail.get("filters") for detail in details] == [
        {"type": "Public"},
        {},
        {"type": "Public"},
        None,
    ]


def test_one_group_gets_exactly_its_labels(user):
    group = make_group(group_id="a")
    groups_labels.set_labels(user, group, ["North", "VIP"], shown=[])

    groups_labels.set_labels(user, group, ["vip", "West"], shown=["North", "VIP"])

    assert labels_of("a") == ["VIP", "West"]
    groups_labels.set_labels(user, group, [], shown=["VIP", "West"])
    assert labels_of("a") == []
    assert [action for action, _actor, _detail in entries()] == [
        "labels_put", "labels_taken", "labels_put", "labels_taken"
    ]  # fmt: skip


def test_what_is_no_label_is_said(user):
    make_group()

    assert said(groups_labels.add_labels, user, EVERY, []) == [
        "Choose a label, or write a new one."
    ]
    assert said(groups_labels.add_labels, user, EVERY, ["a,b"]) == [
        "The label “a,b” has a comma, semicolon or stroke. Leave it out."
    ]
    assert said(groups_labels.remove_labels, user, EVERY, []) == ["Choose a label."]
    assert (Label.objects.count(), entries()) == (0, [])


def test_a_renamed_label_stays_in_the_audiences_that_ask_for_it(user):
    make_group(group_id="a")
    groups_labels.add_labels(user, EVERY, ["North", "VIP"])
    saved = audiences_saved.save(user, "N", Rule(labels=("VIP", "North")))
    label = Label.objects.get(name="North")

    groups_labels.rename(user, label.pk, " Zone  north ")
    groups_labels.rename(user, label.pk, "Zone north")

    saved.refresh_from_db()
    assert saved.rule == Rule(labels=("VIP", "Zone north"))
    assert entries()[2:] == [
        ("label_renamed", "xu", {"label": "North", "new": "Zone north"})
    ]
    assert said(groups_labels.rename, user, label.pk, "vip") == [
        "There is a label “VIP” already."
    ]
    assert groups_labels.rename(user, label.pk, "ZONE NORTH").name == "ZONE NORTH"


def test_a_label_that_an_audience_asks_for_is_not_deleted(user):
    make_group(group_id="a")
    groups_labels.add_labels(user, EVERY, ["North", "VIP"])
    for name in ("B", "A"):
        audiences_saved.save(user, name, Rule(labels=("North",)))
    north, vip = Label.objects.order_by("name")

    assert said(groups_labels.delete, user, north.pk) == [
        "Audiences use this label: A, B. Change them first."
    ]
    groups_labels.delete(user, vip.pk)

    assert labels_of("a") == ["North"]
    assert entries()[-1] == ("label_deleted", "xu", {"label": "VIP", "groups": 1})


def test_who_may_not_change_groups_changes_no_label():
    manager = make_user(permissions.COMMUNITY_MANAGER)
    group = make_group()
    label = Label.objects.create(name="North")

    for act in (
        lambda: groups_labels.add_labels(manager, EVERY, ["North"]),
        lambda: groups_labels.remove_labels(manager, EVERY, ["North"]),
        lambda: groups_labels.set_labels(manager, group, ["North"], shown=[]),
        lambda: groups_labels.rename(manager, label.pk, "South"),
        lambda: groups_labels.delete(manager, label.pk),
    ):
        with pytest.raises(PermissionDenied):
            act()

    assert labels_of(group.group_id) == []
    assert Label.objects.get().name == "North"
