"""Queries at the same time as something else: each verdict once, none wrong."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from notifications.delivery.reconcile import verdicts
from notifications.delivery.reconcile.services import ask_now
from notifications.delivery.restore_guard import quarantine_restored
from notifications.models import Delivery, DeliveryQuery, Notification, Seal
from notifications.record import sealing
from tests.delivery.reconcile.conftest import (
    make_message,
    make_run,
    make_unconfirmed,
    store,
)
from tests.factories import make_seal, make_sent_entry
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)

WRITE = "notifications.delivery.reconcile.verdicts._write"


def rows(delivery: Delivery) -> list[tuple[int, str, str]]:
    return list(delivery.queries.values_list("number", "verdict", "asked_by"))


def test_two_workers_find_it_and_one_writes(tencent, caplog):
    caplog.set_level("INFO")
    delivery = make_unconfirmed()
    store(tencent, delivery)

    results = interleave(make_run().run, make_run().run, at=WRITE)

    assert results == (None, None)
    delivery.refresh_from_db()
    assert delivery.status == "accepted"
    assert rows(delivery) == [(1, "present", "")]
    assert "after the end of the queries" in caplog.text


def test_two_workers_do_not_find_it_which_counts_once(tencent, caplog, settings):
    """Otherwise two absences at the same moment would fail the delivery."""
    caplog.set_level("INFO")
    settings.IM_QUERY_AGAIN_AFTER_SECONDS = 3600
    delivery = make_unconfirmed()

    results = interleave(make_run().run, make_run().run, at=WRITE)

    assert results == (None, None)
    delivery.refresh_from_db()
    assert delivery.status == "unconfirmed"
    assert rows(delivery) == [(1, "absent", "")]
    assert "Another worker" in caplog.text


def test_what_another_worker_found_counts_after_an_absence(tencent):
    delivery = make_unconfirmed()

    def store_and_find() -> None:
        store(tencent, delivery)
        make_run().run()

    interleave(make_run().run, store_and_find, at=WRITE)

    delivery.refresh_from_db()
    assert delivery.status == "accepted"


def test_it_is_sealed_only_after_the_verdict(tencent):
    delivery = make_unconfirmed()
    make_sent_entry(delivery.notification)
    store(tencent, delivery)

    _nothing, sealed = interleave(make_run().run, sealing.seal_ended, at=WRITE)

    assert sealed == 0
    assert sealing.seal_ended() == 1
    delivery.refresh_from_db()
    assert delivery.status == "accepted"


def test_a_quarantine_does_not_lose_the_verdict(tencent):
    notification = make_message(status=Notification.Status.SENDING)
    delivery = make_unconfirmed(notification=notification)
    store(tencent, delivery)

    interleave(make_run().run, lambda: quarantine_restored("root"), at=WRITE)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == ("accepted", "in_history")


def test_a_person_asks_while_an_answer_arrives(tencent, settings):
    """The answer is of before: Tencent is asked again for the person."""
    delivery = make_unconfirmed()
    planned = timezone.now() + timedelta(hours=1)
    run = make_run()
    press = Delivery.objects.filter(pk=delivery.pk)

    def ask() -> int:
        press.update(next_query_at=planned)  # as another leader left it
        notification = delivery.notification
        return ask_now(notification.sender, notification.pk)

    _nothing, count = interleave(run.run, ask, at=WRITE)

    assert count == 1
    while DeliveryQuery.objects.count() < 2:
        make_run().run()
    assert rows(delivery) == [(1, "absent", ""), (2, "absent", "lin.mei")]
    delivery.refresh_from_db()
    assert delivery.query_asked_by == ""


def test_a_seal_of_the_release_before_is_respected(tencent, caplog):
    caplog.set_level("INFO")
    delivery = make_unconfirmed()
    store(tencent, delivery)
    make_seal(delivery.notification)

    make_run().run()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_query_at) == ("unconfirmed", None)
    assert not delivery.queries.exists()
    assert Seal.objects.count() == 1


def test_an_outage_loses_no_query(tencent, monkeypatch):
    delivery = make_unconfirmed()
    store(tencent, delivery)

    def fails(*_arguments: object) -> None:
        raise OperationalError("The server is away.")

    with monkeypatch.context() as outage:
        outage.setattr(verdicts, "_write", fails)
        with pytest.raises(OperationalError):
            make_run().run()
    make_run().run()

    delivery.refresh_from_db()
    assert delivery.status == "accepted"
    assert rows(delivery) == [(1, "present", "")]


def test_a_worker_that_is_killed_forgets_nothing(tencent):
    deliveries = [make_unconfirmed() for _n in range(5)]
    for delivery in deliveries:
        store(tencent, delivery)
    killed = make_run()
    killed._check()
    killed._load()
    killed._submit()  # and no more
    killed.http_workers.stop()

    make_run().run()

    for delivery in deliveries:
        delivery.refresh_from_db()
        assert delivery.status == "accepted"
        assert rows(delivery) == [(1, "present", "")]


def test_an_answer_that_cannot_be_written_stops_no_other(tencent, monkeypatch, caplog):
    bad, good = make_unconfirmed(), make_unconfirmed()
    store(tencent, bad)
    store(tencent, good)
    update = verdicts._update

    def fails(row: Delivery, *arguments: object) -> None:
        if row.pk == bad.pk:
            raise IntegrityError("no")
        update(row, *arguments)

    monkeypatch.setattr(verdicts, "_update", fails)
    make_run().run()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, bad.next_query_at) == ("unconfirmed", None)
    assert good.status == "accepted"
    assert "cannot be written" in caplog.text
