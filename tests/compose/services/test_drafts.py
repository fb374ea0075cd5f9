"""Validation of drafts, and who may save them."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from notifications import permissions
from notifications.compose.services.drafts import (
    Draft,
    DraftChanged,
    check_draft,
    delete_draft,
    save_draft,
)
from notifications.compose.services.handover import hand_over
from notifications.models import AuditEntry, Notification
from tests.factories import make_group, make_notification, make_user

pytestmark = pytest.mark.one_database

CHOSEN = Notification.Audience.CHOSEN
EVERY = Notification.Audience.EVERY


def refusal(user, draft) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        save_draft(user, draft)
    assert Notification.objects.count() == 0
    return refused.value.message_dict


def test_a_draft_is_saved_as_it_was_entered(manager):
    hikers = make_group(group_id="hikers", type="Public")
    make_group(group_id="other")

    saved = save_draft(
        manager,
        Draft(" Rain. \r\nNorth gate.", CHOSEN, ["hikers"], ["anna", "li"], "CM-1"),
    )

    saved.refresh_from_db()
    assert (saved.status, saved.sender, saved.sender_name) == (
        "draft",
        manager,
        "lin.mei",
    )
    assert (saved.content, saved.note) == ("Rain. \nNorth gate.", "CM-1")
    assert saved.recipient_ids == ["anna", "li"]
    assert (saved.audience, saved.audience_values) == ("chosen", [hikers.group_id])
    assert saved.deliveries.count() == 0


def test_all_problems_come_at_once_by_field(manager):
    make_group(group_id="off", name="Old club", state="switched_off")

    assert refusal(
        manager, Draft("", CHOSEN, ["off", "nobody", "@x"], [], "n" * 201)
    ) == {
        "content": ["Write the message."],
        "note": ["The note has 201 characters; the limit is 200."],
        "groups": [
            "These IDs are not in the list of groups: nobody, @x",
            "This group is switched off or closed: Old club. Remove it.",
        ],
        "recipients": [
            "Enter at least one member ID, or pick “Everyone in the group”."
        ],
    }


def test_what_is_given_again_counts_once(manager):
    make_group(group_id="g")
    make_group(group_id="h")

    checked = check_draft(
        Draft("Hi", CHOSEN, ["g", "h", "g", "g"], ["anna", "li", "anna"])
    )

    assert (checked.audience_values, checked.recipients) == (["g", "h"], ["anna", "li"])
    assert checked.duplicates == 2


def test_no_group(manager):
    assert refusal(manager, Draft("Hi", CHOSEN)) == {
        "groups": ["Choose at least one group, or pick “Every group”."]
    }
    assert refusal(manager, Draft("Hi", EVERY)) == {
        "audience": ["There is no group in use that this could go to."]
    }


@pytest.mark.parametrize("group_type", ["AVChatRoom", "BChatRoom"])
@pytest.mark.parametrize("others", [[], ["Public"]])
def test_all_member_groups_take_no_recipients(manager, group_type, others):
    make_group(group_id="live", name="Live: Friday show", type=group_type)
    for number, other in enumerate(others):
        make_group(group_id=f"g{number}", type=other)
    everywhere = ["live", *[f"g{number}" for number in range(len(others))]]

    assert refusal(manager, Draft("Hi", CHOSEN, everywhere, ["anna"])) == {
        "recipients": [
            "Live: Friday show can only be sent to everyone. Remove it, or pick "
            "“Everyone in the group”."
        ]
    }
    assert save_draft(manager, Draft("Hi", CHOSEN, everywhere)).pk


def test_the_same_form_sent_twice_is_one_draft(manager):
    make_group(group_id="g")
    token = uuid.uuid4()

    first = save_draft(manager, Draft("One", CHOSEN, ["g"], token=token))
    second = save_draft(manager, Draft("One ", CHOSEN, ["g"], token=token))

    assert first.pk == second.pk
    assert Notification.objects.get().version == 1


@pytest.mark.parametrize("by_number", [True, False])
def test_a_save_over_a_newer_version_is_refused_with_both_texts(manager, by_number):
    make_group(group_id="g")
    token = uuid.uuid4()
    first = save_draft(manager, Draft("One", CHOSEN, ["g"], token=token))
    number = first.pk if by_number else None

    def save(text: str, version: int) -> Notification:
        draft = Draft(text, CHOSEN, ["g"], token=token, version=version)
        return save_draft(manager, draft, notification_id=number)

    assert save("Two", 1).version == 2
    with pytest.raises(DraftChanged) as refused:
        save("Three", 1)

    assert refused.value.stored.content == "Two"
    assert refused.value.entered.content == "Three"
    assert Notification.objects.get().content == "Two"
    # The same text is no conflict, and the newest version can be replaced.
    assert save("Two", 1).version == 2
    assert save("Three", 2).content == "Three"


def test_the_writer_is_the_person_who_changed_it_last(manager):
    make_group(group_id="g")
    writer = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    draft = save_draft(writer, Draft("One", CHOSEN, ["g"]))
    hand_over(writer, draft.pk, to=manager, version=1)

    same = Draft("One", CHOSEN, ["g"], version=1)
    assert save_draft(manager, same, notification_id=draft.pk).written_by_name == (
        "j.okafor"
    )
    other = Draft("Two", CHOSEN, ["g"], version=1)
    saved = save_draft(manager, other, notification_id=draft.pk)

    saved.refresh_from_db()
    assert (saved.written_by, saved.written_by_name) == (manager, "lin.mei")


def test_a_newer_version_is_not_thrown_away(manager):
    draft = make_notification(sender=manager, version=2)

    with pytest.raises(DraftChanged):
        delete_draft(manager, draft.pk, version=1)

    assert Notification.objects.count() == 1


def test_a_form_that_comes_after_the_sending_changes_nothing(manager):
    make_group(group_id="g")
    token = uuid.uuid4()
    make_notification(sender=manager, status="sending", token=token, content="One")

    saved = save_draft(manager, Draft("Two", CHOSEN, ["g"], token=token))

    assert (saved.status, saved.content) == ("sending", "One")
    assert Notification.objects.get().content == "One"


def test_a_draft_is_edited_by_its_writer_only(manager):
    make_group(group_id="g")
    draft = make_notification(sender=manager, content="One")
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    chief = make_user(username="chief", superuser=True)

    save_draft(
        manager, Draft("Two", CHOSEN, ["g"], version=1), notification_id=draft.pk
    )
    for other in (colleague, chief):
        with pytest.raises(PermissionDenied, match=r"a draft of lin\.mei"):
            save_draft(
                other,
                Draft("Three", CHOSEN, ["g"], version=2),
                notification_id=draft.pk,
            )

    draft.refresh_from_db()
    assert draft.content == "Two"


def test_an_auditor_writes_nothing(db):
    make_group(group_id="g")
    auditor = make_user(permissions.AUDITOR)

    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        save_draft(auditor, Draft("Hi", CHOSEN, ["g"]))

    assert Notification.objects.count() == 0


def test_drafts_are_thrown_away_by_their_writer_only(manager):
    draft = make_notification(sender=manager)
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    chief = make_user(username="chief", superuser=True)

    for other in (colleague, chief):
        with pytest.raises(PermissionDenied):
            delete_draft(other, draft.pk, version=1)
    delete_draft(manager, draft.pk, version=1)

    assert Notification.objects.count() == 0


def test_what_was_sent_is_not_thrown_away(manager):
    sent = make_notification(sender=manager, status="completed")

    with pytest.raises(Notification.DoesNotExist):
        delete_draft(manager, sent.pk, version=1)

    assert Notification.objects.get() == sent


def test_saving_and_throwing_away_are_entries_but_not_saving_it_unchanged(manager):
    make_group(group_id="hikers")
    token = uuid.uuid4()
    saved = save_draft(manager, Draft("Rain", CHOSEN, ["hikers"], token=token))
    save_draft(manager, Draft("Rain ", CHOSEN, ["hikers"], token=token))
    save_draft(manager, Draft("Sun", EVERY, note="CM-1", token=token, version=1))
    delete_draft(manager, saved.pk, version=2)

    entries = AuditEntry.objects.filter(notification_number=saved.pk, actor="lin.mei")
    written = []
    for entry in entries.order_by("id"):
        entry.detail.pop("version_sha256", None)
        written.append((entry.action, entry.detail))
    assert written == [
        ("draft_saved", {"version": 1}),
        ("draft_saved", {"version": 2}),
        ("draft_deleted", {}),
    ]
