"""Background tasks: which worker runs them, errors, and a stop; and sealing."""

import sys
import threading
import time

import pytest
from django.db import OperationalError
from django.utils import timezone

from notifications.delivery.background import BackgroundTask, sealing_task
from notifications.delivery.threads import Deaths
from notifications.models import Seal, Worker
from tests.factories import make_delivery, make_notification, make_sent_entry


def living_worker() -> int:
    return Worker.objects.create(
        name="w", boot_id="b", lease=0, heartbeat_at=timezone.now()
    ).pk


def wait_for(event: threading.Event) -> None:
    assert event.wait(20), "The event was never set."


@pytest.mark.django_db(transaction=True)
def test_an_unexpected_error_is_logged_and_counted_and_the_task_goes_on(caplog):
    errors = iter([KeyError("first"), SystemExit("second")])
    went_on = threading.Event()

    def work(_task):
        for error in errors:
            raise error
        went_on.set()

    worker = living_worker()
    task = BackgroundTask("test", work, every=0.01, restart_after=0.02)
    task.start(lambda: worker, Deaths())
    wait_for(went_on)
    task.stop()

    assert task.deaths.counts == {"test": 2}
    assert "KeyError: 'first'" in caplog.text
    assert "SystemExit: second" in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.django_db(transaction=True)
def test_a_thread_that_ends_is_started_again(monkeypatch):
    """For example because the error could not be logged."""
    worked = threading.Event()
    deaths = Deaths()
    worker = living_worker()
    task = BackgroundTask("test", lambda _task: worked.set(), every=0.01)
    with monkeypatch.context() as patched:
        patched.setattr(task, "run_once", lambda: sys.exit("no memory"))
        task.start(lambda: worker, deaths)
        while "test" in {thread.name for thread in threading.enumerate()}:
            time.sleep(0.01)

    task.keep_alive()
    wait_for(worked)
    task.stop()

    assert deaths.counts == {"test": 1}


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_is_logged_and_not_counted(caplog):
    def work(_task):
        raise OperationalError("the server is gone")

    worker = living_worker()
    task = BackgroundTask("test", work, every=1)
    task.worker_id = lambda: worker

    assert task.run_once()

    assert task.deaths.counts == {}
    assert "OperationalError: the server is gone" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_stop_ends_work_at_its_next_pause():
    started = threading.Event()

    def work(task):
        started.set()
        while True:
            task.pause()

    worker = living_worker()
    task = BackgroundTask("test", work, every=0.01)
    task.start(lambda: worker, Deaths())
    wait_for(started)

    task.stop()

    assert "test" not in {thread.name for thread in threading.enumerate()}
    assert task.deaths.counts == {}
    assert not task.may_go_on()


@pytest.mark.django_db(transaction=True)
def test_what_ends_is_sealed():
    notification = make_notification(status="completed")
    make_delivery(notification, status="accepted")
    make_sent_entry(notification)
    worker = living_worker()
    task = sealing_task(every=0.01)
    task.start(lambda: worker, Deaths())

    deadline = time.monotonic() + 20
    sealed = Seal.objects.filter(kind=Seal.Kind.NOTIFICATION)
    while not sealed.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    task.stop()

    assert sealed.get().notification_id == notification.pk


@pytest.mark.django_db
def test_the_oldest_of_several_workers_seals():
    make_sent_entry(make_notification(status="completed"))
    oldest, younger = living_worker(), living_worker()
    tasks = {number: sealing_task() for number in (oldest, younger)}
    for number, task in tasks.items():
        task.worker_id = lambda number=number: number

    tasks[younger].run_once()
    assert Seal.objects.count() == 0

    tasks[oldest].run_once()
    assert Seal.objects.filter(kind=Seal.Kind.NOTIFICATION).count() == 1
