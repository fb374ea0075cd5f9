"""When notifications are sealed, and how the seals are chained."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from notifications.models import Delivery, Notification, Seal, Tally
from notifications.record import chain, sealing
from notifications.record import queries as record_queries
from notifications.record.canonical_text import canonical_text
from tests.factories import (
    make_attempt,
    make_delivery,
    make_notification,
    make_sent_entry,
    seal_ended,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def test_what_has_ended_is_sealed_once_and_counted():
    notification = make_notification(status="completed")
    make_attempt(make_delivery(notification, status="accepted"))
    make_delivery(notification, status="failed")

    assert seal_ended() == 1
    assert seal_ended() == 0

    seal = notification.seal
    text = b"".join(canonical_text(notification))
    assert (seal.number, seal.previous, seal.rows) == (1, "", 3)
    assert seal.digest == hashlib.sha256(text).hexdigest()
    assert record_queries.head() == seal.head
    assert {(t.status, t.count) for t in notification.tallies.all()} == {
        ("accepted", 1),
        ("failed", 1),
    }


def test_the_head_is_the_digest_of_a_line_that_names_the_seal_before():
    first, second = (make_notification(status="completed") for _n in range(2))
    make_delivery(second, status="accepted")

    seal_ended()

    last = second.seal
    line = chain.seal_line(last, second.tallies.all())
    assert last.previous == first.seal.head
    assert last.head == hashlib.sha256(line).hexdigest()
    assert json.loads(line)["previous"] == first.seal.head


@pytest.mark.parametrize("status", ["draft", "sending", "paused", "scheduled"])
def test_what_goes_on_is_not_sealed(status):
    times = {"scheduled_for": NOW} if status == "scheduled" else {}
    make_notification(status=status, **times)

    assert seal_ended() == 0


@pytest.mark.parametrize("status", ["queued", "sending"])
def test_a_stopped_one_is_not_sealed_while_a_call_is_open(status):
    make_delivery(make_notification(status="cancelled"), status=status)

    assert seal_ended() == 0


def test_the_oldest_end_is_sealed_first():
    late = make_notification(status="completed", finished_at=NOW)
    early = make_notification(status="completed", finished_at=NOW - timedelta(hours=1))

    seal_ended()

    assert (early.seal.number, late.seal.number) == (1, 2)


def test_another_sealer_that_was_faster():
    notification = make_notification(status="completed")
    same = Notification.objects.get(pk=notification.pk)
    sealing.seal_notification(same)

    with pytest.raises(chain.SealedByAnother):
        sealing.seal_notification(notification)

    assert Seal.objects.count() == 1
    assert Tally.objects.count() == 0


def test_a_violated_constraint_is_not_taken_for_another_sealer(monkeypatch):
    notification = make_notification(status="completed")

    def broken(_tallies):
        raise IntegrityError("another one")

    monkeypatch.setattr(Tally.objects, "bulk_create", broken)

    with pytest.raises(IntegrityError, match="another one"):
        sealing.seal_notification(notification)


def test_the_rest_is_sealed_though_another_is_faster(monkeypatch):
    make_sent_entry(make_notification(status="completed"))
    tries = iter([chain.SealedByAnother()])
    seal_due = sealing.seal_due

    def late():
        for error in tries:
            raise error
        seal_due()

    monkeypatch.setattr(sealing, "seal_due", late)

    sealing.seal_all()

    assert Seal.objects.filter(kind=Seal.Kind.NOTIFICATION).count() == 1


def test_what_the_pause_raises_ends_a_sealing():
    row = make_notification(status="completed")
    make_delivery(row, status="accepted")
    make_sent_entry(row)

    def pause():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        sealing.seal_due(pause=pause)

    assert Seal.objects.count() == 0


def test_a_sealed_notification_keeps_its_row_numbers():
    notification = make_notification(status="completed")
    delivery = make_delivery(notification, status=Delivery.Status.ACCEPTED)
    make_attempt(delivery)

    seal = sealing.seal_notification(notification)

    assert [number for number, _digest in chain.LEAF.iter_unpack(seal.leaves)] == [
        delivery.pk,
        delivery.pk,
    ]
