"""Versions of drafts: verification compares them with the audit trail."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import permissions
from notifications.audiences import saved
from notifications.compose.checked import checked_of
from notifications.compose.services.drafts import Draft, delete_draft, save_draft
from notifications.compose.services.send import send
from notifications.models import AuditEntry, DraftVersion, Notification, Rule
from notifications.record.draft_versions import COPIED
from notifications.record.guards.install import guards_disabled
from notifications.record.verification import verify
from tests.factories import make_group, make_notification, make_user

pytestmark = pytest.mark.django_db

EVERY = Notification.Audience.EVERY


@pytest.fixture
def drafts() -> tuple[int, int]:
    """The numbers of a draft and of a deleted draft, with two versions each."""
    user = make_user(permissions.COMMUNITY_MANAGER)
    make_group()
    numbers = []
    for _two in range(2):
        draft = save_draft(user, Draft("One", EVERY))
        save_draft(
            user, Draft("Two", EVERY, version=draft.version), notification_id=draft.pk
        )
        numbers.append(draft.pk)
    delete_draft(user, numbers[1], version=2)
    return numbers[0], numbers[1]


def add(number: int, version: int) -> None:
    DraftVersion.objects.create(
        notification_number=number,
        number=version,
        saved_at=timezone.now(),
        author="lin.mei",
        author_number=1,
        content="Three",
        audience=EVERY,
    )


def test_versions_that_match_their_entries(drafts):
    assert verify().differences == []


CHANGES = {
    "content": "Other",
    "note": "CM-1",
    "recipients": "amy",
    "author": "chen.jie",
    "author_number": 77,
    "audience": "chosen",
    "audience_values": ["g1"],
    "saved_at": timezone.now() - timedelta(days=1),
    "number": 7,
    "notification_number": 7000,
    "channel": "group_message",
    "message_options": '{"mention_all": true}',
    "line_format": 1,
}


def test_each_column_is_covered():
    fields = {field.name for field in DraftVersion._meta.concrete_fields} - {"id"}

    assert fields == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("place", [0, 1], ids=["draft", "deleted draft"])
def test_a_changed_version_is_named(drafts, place, name):
    version = DraftVersion.objects.filter(notification_number=drafts[place], number=1)
    with guards_disabled():
        version.update(**{name: CHANGES[name]})

    first = f"version 1 of draft {drafts[place]}"
    differs = f"draft {drafts[0]} differs from its version 7."
    expected = {
        "number": {
            *([differs] if place == 0 else []),
            f"version 7 of draft {drafts[place]} was added: no audit entry has its "
            "digest.",
            f"{first} is missing.",
        },
        "notification_number": {
            "version 1 of draft 7000 was added: no audit entry has its digest.",
            f"{first} is missing.",
            "draft 7000 is missing: no audit entry says who deleted it.",
        },
    }
    assert set(verify().differences) == expected.get(name, {f"{first} was changed."})


def test_missing_and_added_versions_are_named(drafts):
    kept, deleted = drafts
    with guards_disabled():
        DraftVersion.objects.filter(notification_number=deleted, number=2).delete()
        add(kept, 3)

    added = f"version 3 of draft {kept} was added: no audit entry has its digest."
    missing = f"version 2 of draft {deleted} is missing."
    differs = f"draft {kept} differs from its version 3."
    assert verify().differences == [added, missing, differs]
    assert verify(notification=kept).differences == [added, differs]
    assert verify(notification=deleted).differences == [missing]
    later = timezone.now() + timedelta(hours=1)
    assert verify(since=later).differences == [differs]


def test_since_a_time_between_the_version_and_its_entry(drafts):
    entry = AuditEntry.objects.filter(action=DraftVersion.SAVED).latest("pk")

    assert verify(since=entry.at).differences == []


def test_the_database_refuses_changes(drafts):
    version = DraftVersion.objects.all()[0]
    for change in (
        lambda: DraftVersion.objects.filter(pk=version.pk).update(content="x"),
        lambda: DraftVersion.objects.filter(pk=version.pk).delete(),
        lambda: add(version.notification_number, version.number),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@pytest.mark.parametrize("name", COPIED)
def test_a_draft_that_differs_from_its_version_is_named(drafts, name):
    draft = Notification.objects.filter(pk=drafts[0])
    another = make_user(username="chen.jie")
    values = CHANGES | {"author_number": another.pk}
    if name == "message_options":
        draft.update(channel=CHANGES["channel"])
    draft.update(**{COPIED[name]: values[name]})

    assert verify().differences == [f"draft {drafts[0]} differs from its version 2."]


def test_a_saved_audience_that_is_renamed_is_no_difference(drafts):
    user = User.objects.get()
    audience = saved.save(user, "Old", Rule(types=("Public",)))
    draft = save_draft(user, Draft("One", Notification.Audience.SAVED, ["Old"]))
    other = make_user(permissions.GROUP_ADMINISTRATOR, username="xu")
    saved.save(other, "New", Rule(types=("Public",)), pk=audience.pk)

    assert verify().differences == []
    draft.refresh_from_db()
    sent = send(user, draft.pk, digest=checked_of(user, draft).digest())
    assert verify().differences == []
    with guards_disabled():
        Notification.objects.filter(pk=sent.pk).update(audience_values=["Old"])
    assert verify().differences == [f"draft {draft.pk} differs from its version 2."]


def test_another_saved_audience_in_a_draft_is_named(drafts):
    user = User.objects.get()
    saved.save(user, "Old", Rule(types=("Public",)))
    saved.save(user, "Other", Rule(types=("Public",)))
    draft = save_draft(user, Draft("One", Notification.Audience.SAVED, ["Old"]))
    Notification.objects.filter(pk=draft.pk).update(audience_values=["Other"])

    assert verify().differences == [f"draft {draft.pk} differs from its version 1."]


def test_drafts_that_were_added_or_removed_by_sql_are_named(drafts):
    added = make_notification()
    Notification.objects.filter(pk=drafts[0]).delete()

    assert verify().differences == [
        f"draft {added.pk} was added: no version of it was saved.",
        f"draft {drafts[0]} is missing: no audit entry says who deleted it.",
    ]


def test_a_notification_is_compared_until_it_is_sealed(drafts):
    user = User.objects.get()
    draft = Notification.objects.get(pk=drafts[0])
    sent = send(user, draft.pk, digest=checked_of(user, draft).digest())
    assert verify().differences == []
    with guards_disabled():
        Notification.objects.filter(pk=sent.pk).update(content="Three")

    assert verify().differences == [f"draft {sent.pk} differs from its version 2."]
