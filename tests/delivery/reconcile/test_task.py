"""The task of the worker: which worker asks, and until when the worker waits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import conf
from notifications.delivery.background import BackgroundTask
from notifications.delivery.reconcile.task import reconcile_task
from notifications.delivery.worker import SendWorker
from notifications.rate_limit.clock import engine_clock
from tests.delivery.reconcile.conftest import living_worker, make_unconfirmed, store

pytestmark = pytest.mark.django_db(transaction=True)


def task_of(worker: int) -> BackgroundTask:
    """A task for ``run_once``, in the thread of the test."""
    task = reconcile_task(conf.connection())
    task.worker_id = lambda: worker
    return task


def test_the_oldest_of_several_workers_asks(tencent):
    oldest, younger = living_worker(), living_worker()
    delivery = make_unconfirmed()
    store(tencent, delivery)

    task_of(younger).run_once()
    delivery.refresh_from_db()
    assert delivery.status == "unconfirmed"

    task_of(oldest).run_once()
    delivery.refresh_from_db()
    assert delivery.status == "accepted"
    assert delivery.queries.get().worker == oldest


def test_nothing_is_asked_before_its_time(tencent):
    delivery = make_unconfirmed(next_query_at=timezone.now() + timedelta(seconds=30))

    task_of(living_worker()).run_once()

    assert not delivery.queries.exists()


def test_it_is_idle_when_no_query_is_open_not_when_none_is_due():
    task = task_of(living_worker())
    assert task.is_idle()

    make_unconfirmed(next_query_at=timezone.now() + timedelta(hours=20))
    assert not task.is_idle()


def test_a_worker_waits_for_the_last_verdict(tencent, settings):
    settings.IM_QUERY_AGAIN_AFTER_SECONDS = 0.5
    stored, lost = make_unconfirmed(), make_unconfirmed("hikers")
    store(tencent, stored)
    im = conf.connection()

    SendWorker(
        im,
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        tasks=[reconcile_task(im, every=0.05)],
    ).run()

    stored.refresh_from_db()
    lost.refresh_from_db()
    assert (stored.status, stored.reason) == ("accepted", "in_history")
    assert (lost.status, lost.reason) == ("failed", "not_in_history")


def test_a_defect_of_a_call_is_counted_and_the_query_has_no_answer(
    tencent, monkeypatch
):
    delivery = make_unconfirmed()
    task = task_of(living_worker())

    def fails(*_arguments: object) -> None:
        raise KeyError("mistake")

    monkeypatch.setattr("notifications.tencent.client.ImClient.call", fails)
    task.run_once()

    assert task.deaths.counts == {"reconciling": 3}
    assert delivery.queries.get().verdict == "no_answer"
