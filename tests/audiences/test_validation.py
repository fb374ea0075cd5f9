"""Audiences that cannot be sent to, on Check and again at Send."""

import pytest
from django.core.exceptions import ValidationError

from notifications import permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import create_deliveries
from notifications.compose.services import send as services_send
from notifications.compose.services.drafts import Draft, save_draft
from notifications.models import (
    AuditEntry,
    ChatGroup,
    Label,
    Notification,
    SavedAudience,
)
from tests.factories import make_group, make_notification, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


def refusal(manager, kind, values, recipients=None) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        save_draft(manager, Draft("Hi", kind, values, recipients))
    assert not Notification.objects.exists()
    return refused.value.message_dict


def send(manager, draft, digest=None):
    digest = digest or checked_of(manager, draft).digest()
    return services_send.send(manager, draft.pk, digest=digest)


def draft_for(manager, kind, values, **kwargs):
    return make_notification(
        sender=manager, audience=kind, audience_values=values, **kwargs
    )


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (
            "rule",
            {"types": ["Publik"], "min_members": 5, "max_members": 1},
            {
                "types": [
                    "“Publik” is not one of Private, Public, ChatRoom, AVChatRoom, "
                    "BChatRoom, Community."
                ],
                "max_members": ["At most 1 is less than at least 5."],
            },
        ),
        (
            "rule",
            {},
            {"audience": ["Choose at least one condition, or send to every group."]},
        ),
        ("rule", {"labels": ["North"]}, {"labels": ["There is no label “North”."]}),
        (
            "rule",
            {"min_members": 5000},
            {"audience": ["No group fits. Change the conditions."]},
        ),
        (
            "rule",
            {"name_contains": "Old"},
            {"audience": ["All groups that fit are left out. Switched off: 1."]},
        ),
        ("saved", [], {"saved": ["Choose an audience."]}),
        (
            "saved",
            ["West"],
            {"saved": ["The audience “West” no longer exists. Choose another."]},
        ),
        (
            "saved",
            ["Nobody"],
            {"saved": ["No group fits. Change the conditions."]},
        ),
        (
            "chosen",
            ["topic"],
            {
                "groups": [
                    "This group is of a type that cannot be sent to yet: Forum. "
                    "Remove it."
                ]
            },
        ),
    ],
)
def test_a_choice_that_cannot_be_sent_to(manager, kind, values, expected):
    make_group()
    make_group(name="Old club", state="switched_off")
    make_group(group_id="topic", name="Forum", type="Topic")
    SavedAudience.objects.create(name="Nobody", stored_rule={"min_members": 5000})

    assert refusal(manager, kind, values) == expected


def test_all_members_only_groups_of_a_rule_are_excluded(manager):
    make_group(name="Hikers")
    make_group(group_id="live", name="Live", type="AVChatRoom")
    rule = {"types": ["Public", "AVChatRoom"]}

    draft = save_draft(manager, Draft("Hi", "rule", rule, ["anna"]))
    sent = send(manager, draft)

    assert [row.group_name for row in sent.deliveries.all()] == ["Hikers"]
    assert AuditEntry.objects.get(action="sent").detail["left_out"] == [
        {"group_id": "live", "name": "Live", "reason": "recipients"}
    ]
    assert refusal_of_live_rooms(manager) == {
        "audience": [
            "All groups that fit are left out. Can only be sent to everyone: 1."
        ]
    }


def refusal_of_live_rooms(manager) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        save_draft(manager, Draft("Hi", "rule", {"types": ["AVChatRoom"]}, ["anna"]))
    return refused.value.message_dict


def test_members_are_never_named_for_every_group(manager):
    make_group()

    assert refusal(manager, "every", [], ["anna"]) == {
        "recipients": [
            "To name members, choose the groups instead of sending to every group."
        ]
    }


def test_a_rule_is_stored_as_it_is_spelt(manager):
    Label.objects.create(name="North")
    group = make_group()
    group.labels.set(Label.objects.all())

    draft = save_draft(manager, Draft("Hi", "rule", {"labels": ["NORTH", "north"]}))

    draft.refresh_from_db()
    assert (draft.audience, draft.audience_values) == ("rule", {"labels": ["North"]})


def test_the_rule_and_the_excluded_groups_are_recorded(manager):
    make_group(name="Hikers")
    make_group(group_id="off", name="Off", state="switched_off")
    make_group(group_id="odd", name="Odd", type="Topic")
    saved = SavedAudience.objects.create(name="Big", stored_rule={"min_members": 100})
    sent = send(manager, draft_for(manager, "saved", ["Big"]))
    saved.delete()

    sent.refresh_from_db()
    assert (sent.audience_values, sent.audience_count) == (["Big"], 1)
    detail = AuditEntry.objects.get(action="sent").detail
    assert detail["rule"] == {"min_members": 100}
    assert detail["left_out_count"] == 2
    assert detail["left_out"] == [
        {"group_id": "odd", "name": "Odd", "reason": "unknown_type"},
        {"group_id": "off", "name": "Off", "reason": "switched_off"},
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"state": "switched_off"},
            "This group is switched off or closed: Hikers. Remove it.",
        ),
        (
            {"state": "closed"},
            "This group is switched off or closed: Hikers. Remove it.",
        ),
        (
            {"type": "Topic"},
            "This group is of a type that cannot be sent to yet: Hikers. Remove it.",
        ),
        (
            {"type": "AVChatRoom"},
            "Hikers can only be sent to everyone. Remove it, or pick “Everyone in the "
            "group”.",
        ),
    ],
)
def test_a_chosen_group_that_changed_is_refused_by_name(
    manager, log_in, change, sentence
):
    group = make_group(group_id="hikers", name="Hikers")
    draft = draft_for(
        manager, "chosen", ["hikers", make_group().group_id], recipients="anna"
    )
    digest = checked_of(manager, draft).digest()
    ChatGroup.objects.filter(pk=group.pk).update(**change)

    page = log_in(manager).get(f"/write/{draft.pk}/check/")
    with pytest.raises(ValidationError) as refused:
        send(manager, draft, digest)

    assert page.context["problems"] == [sentence]
    assert refused.value.messages == [sentence]
    assert not draft.deliveries.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"state": "switched_off"},
        {"state": "closed"},
        {"type": "Topic"},
        {"type": "AVChatRoom"},
        {"member_count": 1},
    ],
)
def test_a_group_that_no_longer_fits_has_to_be_checked_anew(manager, change):
    group = make_group()
    make_group()
    draft = draft_for(manager, "rule", {"min_members": 100}, recipients="anna")
    digest = checked_of(manager, draft).digest()
    ChatGroup.objects.filter(pk=group.pk).update(**change)

    with pytest.raises(ValidationError, match="What you checked has changed"):
        send(manager, draft, digest)

    assert not draft.deliveries.exists()
    assert send(manager, draft).audience_count == 1


def test_a_saved_audience_is_evaluated_at_send(manager):
    make_group(member_count=50)
    make_group(member_count=500)
    saved = SavedAudience.objects.create(name="Big", stored_rule={"min_members": 100})
    draft = draft_for(manager, "saved", ["Big"])
    digest = checked_of(manager, draft).digest()
    saved.stored_rule = {"min_members": 10}
    saved.save()

    with pytest.raises(ValidationError, match="What you checked has changed"):
        send(manager, draft, digest)
    saved.delete()
    with pytest.raises(ValidationError) as refused:
        send(manager, draft, digest)

    assert refused.value.messages == [
        "The audience “Big” no longer exists. Choose another."
    ]


def test_a_deleted_label_is_refused_at_send(manager):
    label = Label.objects.create(name="North")
    make_group().labels.set([label])
    draft = draft_for(manager, "rule", {"labels": ["North"]})
    digest = checked_of(manager, draft).digest()
    label.delete()

    with pytest.raises(ValidationError) as refused:
        send(manager, draft, digest)

    assert refused.value.messages == ["There is no label “North”."]


def test_a_group_that_changes_while_it_is_sent_stops_the_send(manager, monkeypatch):
    """A sync commits between the queries, as is possible on PostgreSQL."""
    group = make_group()
    draft = draft_for(manager, "every", [])
    insert = create_deliveries.insert_deliveries

    def insert_after_sync(*arguments, **options):
        ChatGroup.objects.filter(pk=group.pk).update(type="AVChatRoom")
        return insert(*arguments, **options)

    monkeypatch.setattr(create_deliveries, "insert_deliveries", insert_after_sync)

    with pytest.raises(ValidationError, match="What you checked has changed"):
        send(manager, draft)

    assert not draft.deliveries.exists()
