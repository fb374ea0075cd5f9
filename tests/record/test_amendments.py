"""Recalls and corrections: sealed, verified, archived, and linked to what they change."""

import json
from datetime import timedelta

import pytest

from notifications.models import Archive, Delivery, Notification, Seal
from notifications.record import sealing
from notifications.record.canonical_text import canonical_text
from notifications.record.guards.install import guards_disabled
from notifications.record.verification import verify
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_ended_amendment,
    make_group,
    make_notification,
    make_seal,
    make_sent_entry,
    seal_ended,
)
from tests.management.running import run
from tests.record.tampering import edit, first_line

pytestmark = pytest.mark.django_db

CHANNELS = ["recall", "correction"]


@pytest.fixture
def sent() -> Notification:
    """A group message that two groups got."""
    row = make_notification(status="completed", channel="group_message")
    for number in (417, 418):
        make_attempt(make_delivery(row, status="accepted", msg_seq=number))
    return row


@pytest.fixture(params=CHANNELS)
def amendment(request, sent) -> Notification:
    """A sealed recall or correction of ``sent``, which is sealed as well."""
    row = make_ended_amendment(sent, request.param)
    for delivery in row.deliveries.order_by("pk"):
        make_attempt(delivery)
    assert seal_ended() == 2
    assert verify().differences == []
    return row


@pytest.mark.parametrize(
    "values", [{"amended_delivery": 9}, {"msg_seq": 9}, {"group_name": "Another"}]
)
def test_an_edited_row_is_named(amendment, values):
    row = amendment.deliveries.earliest("pk")
    with guards_disabled():
        edit(row, **values)

    changed = f"delivery {row.pk} of notification {amendment.pk} was changed."
    assert changed in verify().differences


def test_another_amended_notification_is_named(amendment, sent):
    other = make_notification(status="completed", channel="group_message")
    make_sent_entry(other)
    with guards_disabled():
        edit(amendment, amends_id=other.pk)

    assert verify().differences[0] == first_line(amendment)


@pytest.mark.parametrize("values", [{"content": "x"}, {"channel": "other"}])
def test_an_edited_reason_or_kind_is_named(amendment, values):
    if "channel" in values:
        (other,) = {*CHANNELS} - {amendment.channel}
        values = {"channel": other}
    with guards_disabled():
        edit(amendment, **values)

    assert verify().differences == [first_line(amendment)]


@pytest.mark.parametrize("channel", CHANNELS)
def test_one_that_was_inserted_by_sql_is_named_and_not_sealed(sent, channel):
    seal_ended()
    inserted = make_ended_amendment(sent, channel)

    assert sealing.seal_ended() == 0
    assert verify().differences == [
        f"notification {inserted.pk} was added: no audit entry says who sent it."
    ]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("wrong", ["missing", "other group", "other notification"])
def test_a_row_that_changes_no_message_of_its_group_is_named(sent, channel, wrong):
    group = make_group()
    other = make_delivery(
        make_notification(status="completed", channel="group_message"), group
    )
    make_sent_entry(other.notification)
    sent_row = sent.deliveries.latest("pk")
    amended = {
        "missing": 999_999,
        "other group": sent_row.pk,
        "other notification": other.pk,
    }[wrong]
    row = make_notification(status="completed", channel=channel, amends=sent)
    delivery = make_delivery(
        row, group, status="accepted", amended_delivery=amended, msg_seq=417
    )
    seal_ended()

    sentence = (
        f"delivery {delivery.pk} of notification {row.pk} changes the message of "
        f"delivery {amended}, which notification {sent.pk} did not send to this group."
    )
    assert sentence in verify().differences
    assert sentence in verify(notification=row.pk).differences
    assert sentence not in verify(notification=sent.pk).differences


def test_an_archived_original_and_an_archived_run_are_verified(
    amendment, sent, tmp_path
):
    arguments = ["--before", "2026-03-03", "--to", str(tmp_path)]
    for _twice in range(2):
        code, _out, err = run("archive_history", *arguments)
        assert (code, err) == (0, "")

    assert not Delivery.objects.exists()
    assert Archive.objects.count() == 2
    assert verify(archive=tmp_path).differences == []
    assert verify(archive=tmp_path).notifications == 2


def test_the_original_is_archived_before_its_recall(sent, tmp_path):
    recall = make_ended_amendment(sent)
    with guards_disabled():
        edit(recall, finished_at=MOMENT + timedelta(days=7))
    arguments = ["--before", "2026-03-03", "--to", str(tmp_path)]
    make_seal(sent)

    # The workers may still need the rows of what is being taken back.
    assert run("archive_history", *arguments)[0] == 0
    assert not Archive.objects.exists()
    seal_ended()
    code, _out, err = run("archive_history", *arguments)

    assert (code, err) == (0, "")
    assert {row.notification for row in Delivery.objects.all()} == {recall}
    assert verify(archive=tmp_path).differences == []


def test_the_seal_covers_what_is_taken_back(amendment, sent):
    first, *lines = [json.loads(line) for line in canonical_text(amendment)]
    assert Seal.objects.get(notification=amendment).text_format == 3
    assert first["notification"]["amends_id"] == sent.pk
    column = first["delivery"].index("amended_delivery") + 1
    assert {line[column] for line in lines if line[0] == "delivery"} == {
        str(pk) for pk in sent.deliveries.values_list("pk", flat=True)
    }
