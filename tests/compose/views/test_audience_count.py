"""The counts of groups and people on the Write page."""

import pytest

from notifications import permissions
from notifications.models import Label, Notification, SavedAudience
from tests.factories import make_group, make_user, write_fields

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ADDRESS = "/write/count/"
NOTHING = {"groups": "–", "people": "–", "left_out": "", "problem": "", "reason": ""}


@pytest.fixture
def groups():
    make_group(group_id="hikers", name="Weekend hikers", member_count=1)
    make_group(group_id="live", name="Live", type="AVChatRoom", member_count=2950)
    make_group(group_id="off", name="Old club", state="switched_off")
    make_group(group_id="odd", name="Forum", type="Topic")


def counted(client, **fields) -> dict[str, str]:
    return client.post(ADDRESS, write_fields(**fields)).json()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"groups": "hikers live"},
            {
                "groups": "2 groups",
                "people": "2,951 people",
                "reason": "Some groups can only be sent to "
                "everyone. To name members, first remove: Live",
            },
        ),
        ({"groups": "hikers"}, {"groups": "1 group", "people": "1 person"}),
        ({"groups": " ,"}, {"groups": "0 groups"}),
        (
            {"groups": "hikers nobody"},
            {
                "groups": "1 group",
                "people": "1 person",
                "problem": "This ID is not in the list of groups: nobody",
            },
        ),
        (
            {"audience": "every"},
            {
                "groups": "2 groups",
                "people": "2,951 people",
                "left_out": "Switched off: 1 · Unknown type: 1",
                "reason": "To name members, choose the groups instead of sending to "
                "every group.",
            },
        ),
        (
            {"audience": "rule", "types": "AVChatRoom"},
            {"groups": "1 group", "people": "2,950 people"},
        ),
        (
            {
                "audience": "rule",
                "types": ["AVChatRoom", "Public"],
                "members": "named",
                "exceptions": "off",
            },
            {
                "groups": "1 group",
                "people": "1 person",
                "left_out": "Can only be sent to everyone: 1",
            },
        ),
        (
            {"audience": "rule"},
            {"problem": "Choose at least one condition, or send to every group."},
        ),
        (
            {"audience": "rule", "min_members": "many"},
            {"problem": "Write a number with digits only, such as 5000."},
        ),
        (
            {"audience": "rule", "exceptions": "nobody"},
            {"problem": "This ID is not in the list of groups: nobody"},
        ),
        (
            {"audience": "rule", "labels": "South"},
            {"problem": "There is no label “South”."},
        ),
        ({"audience": "saved"}, {"groups": "0 groups"}),
        (
            {"audience": "saved", "saved": "Live"},
            {"groups": "1 group", "people": "2,950 people"},
        ),
        (
            {"audience": "saved", "saved": "West"},
            {
                "groups": "0 groups",
                "people": "0 people",
                "problem": "The audience “West” no longer exists. Choose another.",
            },
        ),
        ({"audience": "nonsense"}, {"problem": "Select a valid choice. nonsense is not one of the available choices."}),
    ],
)  # fmt: skip
def test_what_is_counted(manager, groups, fields, expected):
    SavedAudience.objects.create(name="Live", stored_rule={"types": ["AVChatRoom"]})

    assert counted(manager, **fields) == NOTHING | expected
    assert not Notification.objects.exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_queries_do_not_grow(manager, rows, django_assert_max_num_queries):
    label = Label.objects.create(name="North")
    for _n in range(rows):
        make_group().labels.set([label])
    choices = [
        ({"audience": "rule", "labels": "North"}, 8),
        ({"groups": "hikers nobody"}, 8),
        ({"audience": "every"}, 8),
    ]
    counted(manager)

    for fields, most in choices:
        with django_assert_max_num_queries(most):
            counted(manager, **fields)


@pytest.mark.parametrize("role", [permissions.AUDITOR, permissions.GROUP_ADMINISTRATOR])
def test_who_may_not_send_is_refused(log_in, role):
    assert log_in(make_user(role)).post(ADDRESS, write_fields()).status_code == 403


def test_it_only_takes_what_a_form_posts(manager):
    assert manager.get(ADDRESS).status_code == 405


def test_groups_of_unknown_size_are_counted_separately(manager):
    """Tencent gives no number of members for live rooms."""
    make_group(type="AVChatRoom", member_count=0)
    make_group(type="AVChatRoom", member_count=0)
    make_group(type="Public", member_count=1200)

    assert (
        counted(manager, audience="rule", types=["AVChatRoom"])["people"] == "not known"
    )
    assert (
        counted(manager, audience="rule", types=["Public"])["people"] == "1,200 people"
    )
    assert (
        counted(manager, audience="rule", types=["AVChatRoom", "Public"])["people"]
        == "1,200 people and 2 groups of unknown size"
    )
