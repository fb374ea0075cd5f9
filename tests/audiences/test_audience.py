"""Which groups an audience includes and excludes, their totals, and the reasons."""

import pytest

from notifications.audiences.audience import (
    build_audience,
    saved_audience_counts,
)
from notifications.audiences.exclusions import (
    ExclusionReason,
    count_labels,
    reason_label,
)
from notifications.groups.queries import known_ids
from notifications.models import Label, Rule, SavedAudience
from tests.factories import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def groups():
    """One group for each reason of exclusion, and two that are included."""
    north = Label.objects.create(name="North")
    for number, values in enumerate(
        [
            {"group_id": "b", "name": "Beta", "member_count": 20},
            {"group_id": "a", "name": "Alpha", "member_count": 300},
            {"group_id": "live", "name": "Live", "type": "AVChatRoom"},
            {"group_id": "off", "name": "Off", "state": "switched_off"},
            {"group_id": "gone", "name": "Gone", "state": "closed", "type": "Topic"},
            {"group_id": "odd", "name": "Odd", "type": "Topic"},
        ]
    ):
        make_group(**{"member_count": 7} | values).labels.set([north] * (number < 3))


def ids_of(audience) -> list[str]:
    return [group.group_id for group in audience.first(9)]


RULES = [
    ({"types": ["Public"]}, ["a", "b"], {ExclusionReason.SWITCHED_OFF: 1}),
    ({"labels": ["North"]}, ["a", "b", "live"], {}),
    ({"name_contains": "LPH"}, ["a"], {}),
    ({"min_members": 20, "max_members": 300}, ["a", "b"], {}),
    ({"min_members": 21}, ["a"], {}),
    (
        {"exceptions": ["a", "off"]},
        ["b", "live"],
        {ExclusionReason.CLOSED: 1, ExclusionReason.UNKNOWN_TYPE: 1},
    ),
    ({"types": ["Public"], "labels": ["North"], "exceptions": ["b"]}, ["a"], {}),
]


@pytest.mark.parametrize(("rule", "expected", "excluded"), RULES)
def test_the_groups_that_fit_a_rule(groups, rule, expected, excluded):
    SavedAudience.objects.create(name="Saved", stored_rule=rule)

    for audience in (build_audience("rule", rule), build_audience("saved", ["Saved"])):
        assert ids_of(audience) == expected
        assert (audience.count, audience.excluded) == (len(expected), excluded)
        assert audience.rule == Rule.from_json(rule)
    assert saved_audience_counts() == {"Saved": len(expected)}


def test_every_group(groups):
    audience = build_audience("every", [])

    assert ids_of(audience) == ["a", "b", "live"]
    assert (audience.count, audience.included.people) == (3, 327)
    assert audience.excluded == {
        ExclusionReason.SWITCHED_OFF: 1,
        ExclusionReason.CLOSED: 1,
        ExclusionReason.UNKNOWN_TYPE: 1,
    }
    assert [(group.group_id, group.reason) for group in audience.excluded_groups()] == [
        ("gone", "closed"),
        ("odd", "unknown_type"),
        ("off", "switched_off"),
    ]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("every", []),
        ("rule", {"types": ["Public", "AVChatRoom"]}),
        ("rule", {"labels": ["North"]}),
        ("chosen", ["live", "b", "a"]),
    ],
)
def test_all_members_only_groups_are_excluded_when_members_are_named(
    groups, kind, values
):
    everyone = build_audience(kind, values)
    named = build_audience(kind, values, names_members=True)

    assert "live" in ids_of(everyone)
    assert ExclusionReason.RECIPIENTS not in everyone.excluded
    assert set(ids_of(named)) == {"a", "b"}
    assert named.excluded[ExclusionReason.RECIPIENTS] == 1


def test_chosen_groups_stay_in_their_order_and_the_unknown_are_named(groups):
    audience = build_audience(
        "chosen", ["nobody", "live", "off", "王五", "a", "a\0", "live"]
    )

    assert audience.ids == ["nobody", "live", "off", "王五", "a", "a\0"]
    assert audience.unknown_ids == ["nobody", "王五", "a\0"]
    assert ids_of(audience) == ["live", "a"]
    assert audience.excluded == {ExclusionReason.SWITCHED_OFF: 1}
    assert len(audience.group_pks()) == 2


def test_all_chosen_are_known(groups):
    assert build_audience("chosen", ["live", "off"]).unknown_ids == []
    assert build_audience("chosen", []).totals == {}


def test_primary_keys_are_in_the_order_of_the_calls(groups):
    by_name = build_audience("every", [])
    chosen = build_audience("chosen", ["live", "b", "a"])

    assert chosen.group_pks() == [group.pk for group in chosen.first(9)]
    assert by_name.group_pks() == [group.pk for group in by_name.first(9)]


@pytest.mark.parametrize("name", ["Gone", "", "a\0b"])
def test_a_missing_saved_audience(groups, name):
    audience = build_audience("saved", [name])

    assert (audience.is_missing, audience.count, audience.name) == (True, 0, name)


@pytest.mark.parametrize("count", [1, 3])
def test_saved_audiences_are_counted_in_one_pass(count, django_assert_num_queries):
    make_group()
    for number in range(count):
        SavedAudience.objects.create(
            name=f"A{number}", stored_rule={"min_members": number * 100}
        )

    with django_assert_num_queries(2):
        counts = saved_audience_counts()

    assert counts == {f"A{n}": int(n < 2) for n in range(count)}


def test_known_ids():
    make_group(group_id="a", state="closed")

    assert known_ids(["a", "b", "王", "a\0"]) == {"a"}
    assert known_ids([]) == set()


def test_reasons_in_words():
    assert reason_label("switched_off") == "Switched off"
    assert reason_label("from the future") == "from the future"
    assert (
        count_labels({ExclusionReason.CLOSED: 1200, ExclusionReason.RECIPIENTS: 1})
        == "Closed: 1,200 · Can only be sent to everyone: 1"
    )
    assert count_labels({}) == ""
