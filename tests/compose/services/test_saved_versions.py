"""Every saved text of a draft is kept, also after the draft is changed or deleted."""

import pytest

from notifications.compose.services.drafts import Draft, delete_draft, save_draft
from notifications.models import AuditEntry, DraftVersion, Notification
from notifications.record.draft_versions import digest_of_version
from tests.factories import make_group
from tests.interleaving import interleave

CHOSEN = Notification.Audience.CHOSEN
EVERY = Notification.Audience.EVERY


def texts(number: int) -> list[tuple[int, str, str]]:
    versions = DraftVersion.objects.filter(notification_number=number)
    return list(versions.values_list("number", "author", "content"))


def test_each_save_that_differs_is_a_version(manager):
    make_group(group_id="g")
    draft = save_draft(manager, Draft("One", EVERY, note="CM-1"))
    for _twice in range(2):
        save_draft(
            manager,
            Draft("Two", CHOSEN, ["g"], ["amy"], version=1),
            notification_id=draft.pk,
        )

    one, two = DraftVersion.objects.filter(notification_number=draft.pk)
    assert texts(draft.pk) == [(1, "lin.mei", "One"), (2, "lin.mei", "Two")]
    assert (one.note, one.audience, one.audience_values) == ("CM-1", "every", [])
    assert (two.recipient_ids, two.audience, two.audience_values) == (
        ["amy"],
        "chosen",
        ["g"],
    )
    details = AuditEntry.objects.order_by("pk").values_list("detail", flat=True)
    assert [(d["version"], d["version_sha256"]) for d in details] == [
        (1, digest_of_version(one)),
        (2, digest_of_version(two)),
    ]


def test_the_text_of_a_deleted_draft_is_kept(manager):
    make_group()
    draft = save_draft(manager, Draft("One", EVERY))
    number = draft.pk

    delete_draft(manager, number, version=1)

    assert texts(number) == [(1, "lin.mei", "One")]


@pytest.mark.django_db(transaction=True)
def test_two_saves_at_once_are_two_versions(manager):
    make_group()
    draft = save_draft(manager, Draft("One", EVERY))

    interleave(
        lambda: save_draft(
            manager, Draft("Two", EVERY, version=1), notification_id=draft.pk
        ),
        lambda: save_draft(
            manager, Draft("Three", EVERY, version=2), notification_id=draft.pk
        ),
        at="notifications.compose.services.drafts.keep_version",
    )

    assert [text for _number, _author, text in texts(draft.pk)] == [
        "One",
        "Two",
        "Three",
    ]
