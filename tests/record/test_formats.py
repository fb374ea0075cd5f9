"""Seals and versions of older formats, and the columns that came after them."""

import pytest

from notifications.models import (
    Attempt,
    Delivery,
    DeliveryQuery,
    DraftVersion,
    Notification,
    Seal,
)
from notifications.record.canonical_text import COLUMNS, FORMAT, rows
from notifications.record.chain import digest_of, head_of, seal_line
from notifications.record.draft_versions import digest_of_version
from notifications.record.guards.install import guards_disabled
from notifications.record.verification import verify
from tests.factories import (
    MOMENT,
    make_archive,
    make_attempt,
    make_delivery,
    make_draft_version,
    make_notification,
    make_query,
    make_seal,
)
from tests.record.tampering import edit

pytestmark = pytest.mark.django_db


def make_old_seal(text_format: int = 1) -> Seal:
    """A seal as release 0.1.0 wrote it, or in a later format."""
    notification = make_notification(status="completed")
    make_attempt(make_delivery(notification, status="accepted"))
    seal = make_seal(notification)
    digest = digest_of(rows(notification, text_format))
    seal.text_format = text_format
    seal.digest, seal.leaves = digest.digest, digest.leaves
    with guards_disabled():
        edit(
            seal,
            text_format=text_format,
            digest=seal.digest,
            leaves=seal.leaves,
            head=head_of(seal, notification.tallies.all()),
        )
    return seal


def test_a_new_seal_has_the_newest_format_and_names_it():
    seal = make_seal(make_notification(status="completed"))

    assert seal.text_format == FORMAT == 3
    assert b'"format":3,' in seal_line(seal, [])
    assert verify().differences == []


def test_other_seals_are_those_of_the_older_release():
    archive = make_archive(make_notification(status="completed"))
    seal = Seal.objects.get(archive=archive)

    assert seal.text_format == 1
    assert b"format" not in seal_line(seal, [])


@pytest.mark.parametrize("text_format", [1, 2])
def test_a_seal_of_an_older_format_is_unchanged(text_format):
    make_old_seal(text_format)

    assert verify().differences == []


RECALL = {"channel": "recall", "amended_delivery": 5, "msg_seq": 1}
LATER = [
    (1, Notification, "notification", {"channel": "group_message"}),
    (1, Notification, "notification", {"channel": "recall", "amends_id": None}),
    (1, Delivery, "delivery", {"channel": "group_message", "random": 5}),
    (1, Delivery, "delivery", {"channel": "group_message", "random": 5, "msg_seq": 1}),
    (1, Delivery, "delivery", RECALL),
    (2, Notification, "notification", {"channel": "recall", "amends_id": None}),
    (2, Delivery, "delivery", RECALL),
]


@pytest.mark.parametrize(("text_format", "model", "noun", "values"), LATER)
def test_a_value_of_a_later_column_was_not_sealed(text_format, model, noun, values):
    number = make_old_seal(text_format).notification_id
    if "amends_id" in values:
        values = values | {"amends_id": number}
    row = model.objects.get()
    with guards_disabled():
        edit(row, **values)

    sentence = (
        f"{noun} {row.pk} of notification {number} has values that its seal does "
    )
    assert verify().differences[0] == f"{sentence}not cover."


def test_an_attempt_and_a_query_that_the_seal_does_not_cover():
    number = make_old_seal().notification_id
    attempt = Attempt.objects.get()
    with guards_disabled():
        edit(attempt, msg_seq=418)

    not_covered = f"of notification {number} has values that its seal does not cover."
    assert verify().differences == [f"attempt {attempt.pk} {not_covered}"]

    with guards_disabled():
        edit(attempt, msg_seq=None)
    query = make_query(Delivery.objects.get())
    assert verify().differences == [f"query {query.pk} {not_covered}"]
    assert DeliveryQuery.objects.get() == query


@pytest.mark.parametrize("text_format", [1, 2, 4])
def test_another_format_of_a_seal_is_named(text_format):
    seal = make_seal(make_notification(status="completed"))
    with guards_disabled():
        edit(seal, text_format=text_format)

    differences = verify().differences

    assert f"seal {seal.number} was changed." in differences
    assert len(differences) == 2


def test_a_format_of_a_newer_release_is_named():
    seal = make_seal(make_notification(status="completed"))
    seal.text_format = 4
    with guards_disabled():
        edit(seal, text_format=4, head=head_of(seal, []))

    assert verify().differences == [
        f"notification {seal.notification_id} is sealed in a format that this release "
        "does not know."
    ]


def test_a_version_of_the_older_release_has_its_columns_only():
    old = make_draft_version(saved_at=MOMENT, line_format=1)
    same_in_new = make_draft_version(
        saved_at=MOMENT, notification_number=old.notification_number, number=2
    )
    digest = digest_of_version(old)

    old.channel = "group_message"
    assert digest_of_version(old) == digest
    assert digest_of_version(same_in_new) != digest
    assert same_in_new.line_format == 2
    assert DraftVersion._meta.get_field("line_format").db_default == 1


@pytest.mark.parametrize("text_format", range(1, FORMAT))
def test_a_format_has_all_of_the_one_before(text_format):
    for kind, columns in COLUMNS[text_format].items():
        assert set(columns) <= set(COLUMNS[text_format + 1][kind])
