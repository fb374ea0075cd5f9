"""Versions of drafts: verification compares them with the audit trail."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import permissions
from notifications.compose.services.drafts import Draft, delete_draft, save_draft
from notifications.models import AuditEntry, DraftVersion, Notification
from notifications.record.guards.install import guards_disabled
from notifications.record.verification import verify
from tests.factories import make_group, make_user

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
        save_draft(user, Draft("Two", EVERY), notification_id=draft.pk)
        numbers.append(draft.pk)
    delete_draft(user, numbers[1])
    return numbers[0], numbers[1]


def add(number: int, version: int) -> None:
    DraftVersion.objects.create(
        notification_number=number,
        number=version,
        saved_at=timezone.now(),
        author="lin.mei",
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
    "audience": "chosen",
    "audience_values": ["g1"],
    "saved_at": timezone.now() - timedelta(days=1),
    "number": 7,
    "notification_number": 7000,
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
    expected = {
        "number": {
            f"version 7 of draft {drafts[place]} was added: no audit entry has its "
            "digest.",
            f"{first} is missing.",
        },
        "notification_number": {
            "version 1 of draft 7000 was added: no audit entry has its digest.",
            f"{first} is missing.",
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
    assert verify().differences == [added, missing]
    assert verify(notification=kept).differences == [added]
    assert verify(notification=deleted).differences == [missing]
    later = timezone.now() + timedelta(hours=1)
    assert verify(since=later).differences == []


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
