"""Saving, changing and deleting audiences, and their entries in the audit trail."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from notifications import permissions
from notifications.audiences import saved as audiences_saved
from notifications.audit.presentation import lines, sentence
from notifications.models import (
    AuditEntry,
    DraftVersion,
    Label,
    Notification,
    Rule,
    SavedAudience,
)
from tests.factories import make_notification, make_user

pytestmark = pytest.mark.django_db

LIVE = Rule(types=("AVChatRoom",), min_members=100)


@pytest.fixture
def user():
    return make_user(permissions.COMMUNITY_MANAGER)


def errors_of(user, name: str, rule: Rule = LIVE, **kwargs) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        audiences_saved.save(user, name, rule, **kwargs)
    return refused.value.message_dict


def trail() -> list[tuple[str, list[str]]]:
    return [
        (sentence(entry.action, entry.detail), lines(entry.action, entry.detail))
        for entry in AuditEntry.objects.order_by("id")
    ]


def test_an_audience_is_saved_changed_and_deleted(user):
    Label.objects.create(name="North")
    saved = audiences_saved.save(user, " Live  rooms ", LIVE)
    other = make_user(permissions.GROUP_ADMINISTRATOR, username="xu")
    changed = Rule(types=("AVChatRoom", "Public"), labels=("north",))

    audiences_saved.save(other, "Live rooms", changed, pk=saved.pk)
    audiences_saved.save(user, "Live rooms", changed, pk=saved.pk)  # changes nothing

    stored = SavedAudience.objects.get()
    assert (stored.name, stored.changed_by) == ("Live rooms", "xu")
    assert stored.rule == Rule(types=("Public", "AVChatRoom"), labels=("North",))
    audiences_saved.delete(user, saved.pk)
    assert not SavedAudience.objects.exists()
    assert trail() == [
        (
            "Saved the audience “Live rooms”.",
            ["Name: Live rooms", "Types: Live room", "Members, at least: 100"],
        ),
        (
            "Saved the audience “Live rooms”.",
            [
                "Types: Live room → Public, Live room",
                "Labels: – → North",
                "Members, at least: 100 → –",
            ],
        ),
        (
            "Deleted the audience “Live rooms”.",
            ["Types: Public, Live room", "Labels: North"],
        ),
    ]


def test_drafts_follow_an_audience_that_gets_another_name(user):
    saved = audiences_saved.save(user, "Old", LIVE)
    kind = Notification.Audience.SAVED
    draft = make_notification(sender=user, audience=kind, audience_values=["Old"])
    sent = make_notification(
        sender=user, audience=kind, audience_values=["Old"], status="completed"
    )

    other = make_user(permissions.GROUP_ADMINISTRATOR, username="xu")
    audiences_saved.save(other, "New", LIVE, pk=saved.pk)

    draft.refresh_from_db()
    sent.refresh_from_db()
    assert (draft.audience_values, sent.audience_values) == (["New"], ["Old"])
    assert (draft.version, sent.version) == (2, 1)
    version = DraftVersion.objects.get()
    assert (version.author, version.audience_values) == ("lin.mei", ["New"])
    entry = AuditEntry.objects.get(notification_number=draft.pk)
    assert (entry.actor, entry.detail["version"]) == ("xu", 1)
    assert sentence(entry.action, entry.detail) == (
        "Renamed the audience of this draft from “Old” to “New”."
    )


def test_other_changes_of_an_audience_leave_drafts_alone(user):
    saved = audiences_saved.save(user, "Old", LIVE)
    kind = Notification.Audience.SAVED
    draft = make_notification(sender=user, audience=kind, audience_values=["Old"])

    audiences_saved.save(user, "Old", Rule(min_members=5), pk=saved.pk)

    draft.refresh_from_db()
    assert (draft.version, DraftVersion.objects.count()) == (1, 0)


def test_what_cannot_be_saved(user):
    saved = audiences_saved.save(user, "Live", LIVE)
    length = {"name": ["The name must have 1 to 80 characters, on one line."]}

    assert errors_of(user, "") == length
    assert errors_of(user, "x" * 81) == length
    assert errors_of(user, "a\0b") == {
        "name": ["The name holds a control character. Remove it."]
    }
    assert errors_of(user, "Live") == {"name": ["There is an audience “Live” already."]}
    assert errors_of(user, "Other", Rule()) == {
        "__all__": ["Choose at least one condition, or send to every group."]
    }
    assert errors_of(user, "Live", Rule(labels=("North",)), pk=saved.pk) == {
        "labels": ["There is no label “North”."]
    }
    assert SavedAudience.objects.get().rule == LIVE


def test_an_auditor_changes_no_audience(user):
    saved = audiences_saved.save(user, "Live", LIVE)
    auditor = make_user(permissions.AUDITOR, username="wang.fang")

    with pytest.raises(PermissionDenied):
        audiences_saved.save(auditor, "Mine", LIVE)
    with pytest.raises(PermissionDenied):
        audiences_saved.delete(auditor, saved.pk)

    assert SavedAudience.objects.get() == saved
